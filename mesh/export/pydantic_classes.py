"""The classes of a contract's events, nested ones before those that use them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from mesh.contract.model import Property
from mesh.errors import Location
from mesh.export.pydantic_constraints import facts_of
from mesh.export.python_source import (
    Bracketed,
    Joined,
    Named,
    Source,
    Text,
    docstring,
    flat,
    identifier,
    laid_out,
    literal,
)

_SCALARS: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date": "date",
    "time": "time",
    "timestamp": "datetime",
}
_AVRO: Final = {
    "null": "None",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
}
_MODULES: Final = {
    "date": "datetime",
    "time": "datetime",
    "datetime": "datetime",
    "UTC": "datetime",
    "Decimal": "decimal",
    "StrEnum": "enum",
    "Annotated": "typing",
    "Any": "typing",
    "Literal": "typing",
    "UUID": "uuid",
    "AwareDatetime": "pydantic",
    "BaseModel": "pydantic",
    "ConfigDict": "pydantic",
    "Field": "pydantic",
    "NaiveDatetime": "pydantic",
}
#: What a field may not be called: a name that annotations use, or that a model has a meaning for.
_TAKEN: Final = {*_MODULES, *_SCALARS.values(), "bytes", "list", "dict", "None"}
_OF_MODELS: Final = re.compile(
    r"_|model_|(?:construct|copy|dict|from_orm|json|parse_file|parse_obj|parse_raw|schema|schema_json"
    r"|update_forward_refs|validate)\Z"
)


class Classes:
    """Collects the classes of a module and what it imports."""

    def __init__(self, properties: Sequence[Property]) -> None:
        self._fields = set(_names(properties))
        self.made: list[list[str]] = []
        self.imports: set[tuple[str, str]] = set()
        self._known: dict[str, tuple[Any, ...]] = {}

    def record(self, wanted: str, doc: str, properties: Sequence[Property]) -> str:
        """The name of the class with these fields, made when there is none yet."""
        key = (doc, tuple(map(_nowhere, properties)))
        name = self._name(wanted, key)
        if self._known.get(name) == key:
            return name
        self._known[name] = key
        fields: list[str] = []
        renamed = False
        for prop in properties:
            called = self._field_name(prop.name)
            renamed = renamed or called != prop.name
            fields += self._field(called, prop, name)
        options: list[Source] = [Named("extra", Text("forbid"))]
        if renamed:
            options += ["populate_by_name=True", "serialize_by_alias=True"]
        config = Bracketed(f"{self._import('ConfigDict')}(", options, ")")
        lines = [f"class {name}({self._import('BaseModel')}):"]
        if doc.strip():
            lines += [*docstring(doc, 1), ""]
        lines += [*laid_out("model_config = ", config, "", 1), "", *fields]
        self.made.append(lines)
        return name

    def _name(self, wanted: str, key: tuple[Any, ...]) -> str:
        name = first = identifier(wanted)
        number = 1
        while name in _TAKEN or name in self._fields or self._known.get(name, key) != key:
            number += 1
            name = f"{first}{number}"
        return name

    def _import(self, name: str) -> str:
        if name in _MODULES:
            self.imports.add((_MODULES[name], name))
        return name

    def _field_name(self, name: str) -> str:
        called = identifier(name)
        if _OF_MODELS.match(called):
            called = f"field_{called.strip('_')}"
        while called in _TAKEN or called in self._known or (called != name and called in self._fields):
            called += "_"
        self._fields.add(called)
        return called

    def _field(self, called: str, prop: Property, owner: str) -> list[str]:
        optional = not prop.required and prop.primary_key is None
        annotation = self._annotation(prop, f"{owner}_{prop.name}")
        if optional and annotation not in ("None", "Any"):
            annotation = Joined((annotation, "None"))
        facts: list[Source] = []
        if called != prop.name:
            facts.append(Named("alias", Text(prop.name)))
        if prop.description:
            facts.append(Named("description", Text(prop.description)))
        if prop.examples:
            facts.append(Named("examples", literal(list(prop.examples))))
        facts += self._constraints(prop)
        default = self._default(prop, annotation, optional)
        if facts:
            field = Bracketed(f"{self._import('Field')}(", facts, ")")
            annotation = Bracketed(f"{self._import('Annotated')}[", (annotation, field), "]")
        return laid_out(f"{called}: ", annotation, default, 1)

    def _constraints(self, prop: Property) -> list[Source]:
        facts = facts_of(prop)
        for fact in facts:
            if isinstance(fact, Named) and isinstance(fact.value, Bracketed):
                for word in ("datetime", "date", "time"):
                    if fact.value.opening == f"{word}(":
                        self._import(word)
                if "tzinfo=UTC" in fact.value.parts:
                    self._import("UTC")
        return list(facts)

    def _annotation(self, prop: Property, path: str) -> Source:
        wanted = prop.custom.get("avroType")
        if isinstance(wanted, list) and all(isinstance(b, str) and b in _AVRO for b in wanted):
            branches = dict.fromkeys(_AVRO[branch] for branch in wanted if branch != "null")
            return Joined(tuple(branches)) if branches else "None"
        if wanted == "enum" and prop.enum:
            return self._enum(prop, path)
        if wanted in ("bytes", "fixed") and prop.logical_type == "string":
            return self._import("UUID") if prop.options.get("format") == "uuid" else "bytes"
        if wanted == "null":
            return "None"
        if prop.enum and all(type(value) in (str, int, bool) for value in prop.enum):
            values = [literal(value) for value in prop.enum]
            return Bracketed(f"{self._import('Literal')}[", values, "]")
        return self._shaped(prop, path)

    def _shaped(self, prop: Property, path: str) -> Source:
        kind = prop.logical_type
        if kind == "object" and prop.properties:
            wanted = str(prop.custom.get("avroName", path)).rpartition(".")[2]
            return self.record(wanted, str(prop.custom.get("avroTypeDoc", "")), prop.properties)
        if kind == "array" and prop.items is not None:
            return Bracketed("list[", [self._part(prop.items, f"{path}_item")], "]")
        if kind == "map" and prop.values is not None:
            return Bracketed("dict[", ["str", self._part(prop.values, f"{path}_value")], "]")
        if kind == "number" and "precision" in prop.custom:
            return self._import("Decimal")
        if kind == "string" and prop.options.get("format") == "uuid":
            return self._import("UUID")
        if kind == "timestamp" and "timezone" in prop.options:
            return self._import("AwareDatetime" if prop.options["timezone"] else "NaiveDatetime")
        if kind == "timestamp" and facts_of(prop):
            return self._import("AwareDatetime")
        return self._import(_SCALARS.get(kind, "Any"))

    def _part(self, prop: Property, path: str) -> Source:
        annotation = self._annotation(prop, path)
        facts = self._constraints(prop)
        if facts:
            field = Bracketed(f"{self._import('Field')}(", facts, ")")
            annotation = Bracketed(f"{self._import('Annotated')}[", (annotation, field), "]")
        return Joined((annotation, "None")) if "avroNull" in prop.custom else annotation

    def _enum(self, prop: Property, path: str) -> str:
        wanted = str(prop.custom.get("avroName", path)).rpartition(".")[2]
        doc = str(prop.custom.get("avroTypeDoc", ""))
        key = (doc, prop.enum)
        name = self._name(wanted, key)
        if self._known.get(name) == key:
            return name
        self._known[name] = key
        lines = [f"class {name}({self._import('StrEnum')}):"]
        if doc.strip():
            lines += [*docstring(doc, 1), ""]
        for symbol, member in _members(prop).items():
            lines += laid_out(f"{member} = ", Text(symbol), "", 1)
        self.made.append(lines)
        return name

    def _default(self, prop: Property, annotation: Source, optional: bool) -> str:
        if "avroDefault" not in prop.custom:
            return "" if not optional or prop.custom.get("avroNoDefault") else " = None"
        value = prop.custom["avroDefault"]
        if value in ([], {}):
            return f" = {self._import('Field')}(default_factory={type(value).__name__})"
        if prop.custom.get("avroType") == "enum" and prop.enum:
            kind = annotation.parts[0] if isinstance(annotation, Joined) else annotation
            return f" = {kind}.{_members(prop)[str(value)]}"
        plain = prop.logical_type in ("integer", "boolean") or (
            prop.logical_type in ("string", "object")
            and not isinstance(prop.custom.get("avroType"), dict)
            and prop.custom.get("avroType") not in ("bytes", "fixed")
            and "format" not in prop.options
        )
        number = prop.logical_type == "number" and "precision" not in prop.custom
        if (plain or number) and not isinstance(value, dict | list):
            return " = " + flat(literal(value))
        return ""


def _nowhere(prop: Property) -> Property:
    """The property without its place: the same type in two places is one class."""
    return replace(
        prop,
        where=Location(""),
        properties=tuple(map(_nowhere, prop.properties)),
        items=prop.items and _nowhere(prop.items),
        values=prop.values and _nowhere(prop.values),
    )


def _names(properties: Sequence[Property]) -> Iterator[str]:
    for prop in properties:
        yield prop.name
        inner: Property | None = prop
        while inner is not None:
            yield from _names(inner.properties)
            inner = inner.items or inner.values


def _members(prop: Property) -> dict[str, str]:
    """The member of an enum for each symbol: in capitals, because texts have methods in small letters."""
    members: dict[str, str] = {}
    for symbol in map(str, prop.enum):
        name = f"VALUE{symbol.upper()}" if symbol.startswith("_") else identifier(symbol.upper())
        while name in members.values():
            name += "_"
        members[symbol] = name
    return members
