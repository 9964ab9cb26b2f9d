"""The fields of Pydantic models as properties, by looking at the classes: nothing of them is called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

from mesh.contract.model import Property
from mesh.errors import SchemaError
from mesh.imports.pydantic_defaults import default_of, plain
from mesh.imports.pydantic_types import LISTS, SCALARS, Unwrapped, constraints_of, options_of, unwrap
from mesh.schema.names import check_simple_name

_EMPTY: Final[Mapping[str, Any]] = {}
_DEEPEST: Final = 32
_BY_HAND = "say it in the contract: a quality rule, or the description"


class Models:
    """Turns models into properties; `notes` are (place, what, fix), `refused` (place, what)."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str, str]] = []
        self.refused: list[tuple[str, str]] = []
        self._open: list[type[Any]] = []
        self._names: dict[str, type[Any]] = {}

    def properties(self, model: type[Any], path: str) -> tuple[Property, ...]:
        """The properties of a model, in the order of its fields."""
        self._note_code(model, path)
        self._open.append(model)
        made = tuple(self._field(name, field, f"{path}.{name}") for name, field in model.model_fields.items())
        self._open.pop()
        return made

    def _note_code(self, model: type[Any], path: str) -> None:
        found = model.__pydantic_decorators__
        for kind in ("field_validators", "model_validators", "validators", "root_validators"):
            for name in getattr(found, kind):
                self.notes.append((f"{path}.{name}", "a validator, which is code", _BY_HAND))
        for name in found.computed_fields:
            what = "a computed field, which is code"
            self.notes.append((f"{path}.{name}", what, "make it a field if events shall carry it"))
        if model.model_config.get("extra") == "allow":
            what = "further fields, which the model allows"
            self.notes.append((path, what, 'write model_config = ConfigDict(extra="forbid")'))

    def _field(self, name: str, field: Any, path: str) -> Property:
        unwrapped = unwrap(field.annotation, tuple(field.metadata))
        prop = self._typed(name, unwrapped, path)
        custom = dict(prop.custom)
        default = default_of(field)
        nullable = unwrapped.nullable or default.is_none
        if default.problem:
            self.notes.append((path, default.problem, "write it in the contract as avroDefault"))
        elif default.given and not default.is_none:
            custom["avroDefault"] = default.value
        elif nullable and not default.given:
            custom["avroNoDefault"] = True
        for attribute in ("alias", "title", "deprecated", "exclude"):
            if getattr(field, attribute):
                what = f"{attribute} {getattr(field, attribute)!r}"
                self.notes.append((path, what, "the event's field has the name of the attribute"))
        examples = tuple(plain(example) for example in field.examples or ())
        return replace(
            prop,
            required=not nullable,
            description=field.description or "",
            examples=examples,
            custom=custom,
            options={**prop.options, **_format_of(field, prop)},
        )

    def _typed(self, name: str, found: Unwrapped, path: str) -> Property:
        kind, origin = found.kind, get_origin(found.kind)
        if origin is Literal:
            return self._values(name, list(get_args(kind)), path, {})
        if len(found.several) > 1:
            return self._several(name, found, path)
        if inspect.isclass(kind) and issubclass(kind, Enum):
            return self._enum(name, kind, path)
        if inspect.isclass(kind) and hasattr(kind, "model_fields"):
            return self._model(name, kind, path)
        if (origin or kind) in LISTS:
            return self._list(name, found, path)
        if (origin or kind) is dict:
            return self._map(name, found, path)
        scalar = SCALARS.get(kind)
        if scalar is None:
            return self._refuse(name, path, f"{_shown(kind)}")
        options, custom = constraints_of(found.metadata, scalar.logical_type)
        self._note_constraints(found, path)
        if scalar.decimal and "precision" not in custom:
            what = "a Decimal without max_digits and decimal_places; it becomes a double"
            self.notes.append((path, what, "give both; money needs them"))
        return Property(
            name=name,
            logical_type=scalar.logical_type,
            description="",
            options={**scalar.options, **options},
            custom={**scalar.custom, **(custom if scalar.decimal else {})},
        )

    def _note_constraints(self, found: Unwrapped, path: str) -> None:
        for item in found.metadata:
            if type(item).__name__.endswith(("Validator", "Serializer")):
                what = f"{type(item).__name__}, which is code"
                self.notes.append((path, what, _BY_HAND))

    def _values(self, name: str, values: list[Any], path: str, custom: dict[str, Any]) -> Property:
        kinds = {type(value) for value in values}
        logical = {str: "string", int: "integer"}.get(kinds.pop()) if len(kinds) == 1 else None
        if logical is None:
            return self._refuse(name, path, "a choice between values is one of texts or of whole numbers")
        return Property(name=name, logical_type=logical, description="", enum=tuple(values), custom=custom)

    def _enum(self, name: str, kind: type[Enum], path: str) -> Property:
        values = [member.value for member in kind]
        if all(isinstance(value, str) and _is_name(value) for value in values):
            custom = {"avroType": "enum", **self._named(kind, path), **_documented(kind)}
            return self._values(name, values, path, custom)
        what = f"the class {kind.__name__}; its values become a rule"
        self.notes.append((path, what, "values that are letters, digits and _ make an Avro enum"))
        return self._values(name, values, path, {})

    def _model(self, name: str, model: type[Any], path: str) -> Property:
        if model in self._open or len(self._open) > _DEEPEST:
            return self._refuse(name, path, f"{model.__name__} holds itself")
        if not model.model_fields:
            return self._refuse(name, path, f"{model.__name__} has no fields")
        custom = {**self._named(model, path), **_documented(model)}
        inner = self.properties(model, path)
        return Property(name=name, logical_type="object", description="", properties=inner, custom=custom)

    def _named(self, kind: type[Any], path: str) -> dict[str, Any]:
        """The name of a class, when it is free and Avro allows it."""
        if self._names.setdefault(kind.__name__, kind) is kind and _is_name(kind.__name__):
            return {"avroName": kind.__name__}
        what = f"the name of the class {kind.__name__}"
        self.notes.append((path, what, "give classes names of their own: letters, digits and _"))
        return {}

    def _list(self, name: str, found: Unwrapped, path: str) -> Property:
        arguments = get_args(found.kind)
        inner = [item for item in arguments if item is not Ellipsis]
        if len(inner) != 1 or (get_origin(found.kind) is tuple and Ellipsis not in arguments):
            return self._refuse(name, path, f"{_shown(found.kind)} does not say what every item is")
        options = options_of(found.metadata, "array")
        if (get_origin(found.kind) or found.kind) in (set, frozenset):
            options["uniqueItems"] = True
        item = self._part("item", inner[0], f"{path}[]")
        return Property(name=name, logical_type="array", description="", items=item, options=options)

    def _map(self, name: str, found: Unwrapped, path: str) -> Property:
        arguments = get_args(found.kind)
        if len(arguments) != 2 or arguments[0] is not str:
            return self._refuse(name, path, f"{_shown(found.kind)} is no map of text to one type")
        value = self._part("value", arguments[1], f"{path}{{}}")
        if options_of(found.metadata, "map"):
            self.notes.append((path, "the number of entries of a map", _BY_HAND))
        return Property(name=name, logical_type="map", description="", values=value)

    def _part(self, name: str, annotation: Any, path: str) -> Property:
        unwrapped = unwrap(annotation, ())
        prop = self._typed(name, unwrapped, path)
        return replace(prop, custom={**prop.custom, "avroNull": "first"}) if unwrapped.nullable else prop

    def _several(self, name: str, found: Unwrapped, path: str) -> Property:
        """A union of plain types: Avro has it, the standard does not."""
        avro = [SCALARS[kind].avro for kind in found.several if kind in SCALARS]
        if len(avro) != len(found.several) or None in avro or len(set(avro)) != len(avro):
            return self._refuse(name, path, "a union may hold texts, numbers and booleans, each once")
        self.notes.append((path, "rules for a union of several types", "use one type, or one field each"))
        union = ["null", *avro] if found.nullable else avro
        return Property(name=name, logical_type="object", description="", custom={"avroType": union})

    def _refuse(self, name: str, path: str, what: str) -> Property:
        self.refused.append((path, what))
        return Property(name=name, logical_type="string", description="")


def _format_of(field: Any, prop: Property) -> Mapping[str, Any]:
    """`format` of a text, which Pydantic has no constraint for."""
    extra = field.json_schema_extra
    if prop.logical_type == "string" and isinstance(extra, dict) and isinstance(extra.get("format"), str):
        return {"format": extra["format"]}
    return _EMPTY


def _documented(kind: type[Any]) -> dict[str, Any]:
    own = kind.__dict__.get("__doc__")
    return {"avroTypeDoc": inspect.cleandoc(own)} if own else {}


def _is_name(text: str) -> bool:
    try:
        check_simple_name(text, "$", "name")
    except SchemaError:
        return False
    return True


def _shown(kind: Any) -> str:
    return getattr(kind, "__name__", None) or str(kind)
