"""The JSON Schema (2020-12) of an event as JSON: types, constraints and record rules of the contract.

An event as JSON is what `mesh read` prints: times as ISO 8601 text, decimals as text or numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mesh.contract.model import Contract, Property, QualityRule
from mesh.contract.record_rules import is_record_rule

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BITS: Final = {"i8": 8, "i16": 16, "i32": 32, "u8": 8, "u16": 16, "u32": 32}
_KEPT: Final = ("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "multipleOf")
_FORMATS: Final = {"email", "uuid", "uri", "hostname", "ipv4", "ipv6"}
_AVRO: Final = {
    "null": "null",
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
    "bytes": "string",
}
_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$"
_LOCAL: Final = r"^[0-9]{4,}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$"

Schema = dict[str, Any]


def event_schema(contract: Contract) -> Schema:
    """The JSON Schema of one event; valid against the standard's own metaschema."""
    rules = [rule for rule in contract.quality if is_record_rule(rule)]
    head: Schema = {
        "$schema": _DIALECT,
        "$id": f"urn:mesh:{contract.id}:{contract.version}",
        "title": contract.name,
    }
    if contract.purpose:
        head["description"] = " ".join(contract.purpose.split())
    return head | _object(contract.properties, rules)


def left_out(contract: Contract) -> Iterator[tuple[Property, str]]:
    """What JSON Schema has no word for: (property, what)."""
    for prop in _all(contract.properties):
        if prop.logical_type in ("date", "time", "timestamp"):
            for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
                if name in prop.options:
                    yield prop, f"{name} {prop.options[name]}"
        if not _is_portable(str(prop.options.get("pattern", ""))):
            yield prop, "the pattern, which only RE2 understands,"


def property_schema(prop: Property) -> Schema:
    """The JSON Schema of a property that is there."""
    schema = _typed(prop)
    if prop.enum and prop.logical_type not in ("object", "array", "map"):
        schema["enum"] = list(prop.enum)
    if prop.description:
        schema["description"] = " ".join(prop.description.split())
    if prop.examples:
        schema["examples"] = list(prop.examples)
    return schema


def _typed(prop: Property) -> Schema:
    kind, options = prop.logical_type, prop.options
    schema = {name: options[name] for name in _KEPT if name in options}
    if not _is_portable(str(schema.get("pattern", ""))):
        del schema["pattern"]
    wanted = prop.custom.get("avroType")
    if isinstance(wanted, list | dict):
        return _of_avro(wanted)
    if kind == "object":
        return {**_object(prop.properties, ()), **_sizes(options)}
    if kind == "array" and prop.items is not None:
        return {"type": "array", "items": _part(prop.items), **schema}
    if kind == "map" and prop.values is not None:
        return {"type": "object", "additionalProperties": _part(prop.values)}
    if kind == "integer":
        return {"type": "integer", **schema, **_bounds(prop, *_range(str(options.get("format"))))}
    if kind == "number" and "precision" in prop.custom:
        return _decimal(prop)
    if kind == "number":
        return {"type": "number", **schema, **_bounds(prop, None, None)}
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "date":
        return {"type": "string", "format": "date"}
    if kind == "time":
        return {"type": "string", "pattern": _TIME}
    if kind == "timestamp":
        local = options.get("timezone") is False
        return {"type": "string", "pattern": _LOCAL} if local else {"type": "string", "format": "date-time"}
    form = {"format": options["format"]} if options.get("format") in _FORMATS else {}
    return {"type": "null" if wanted == "null" else "string", **form, **schema}


def _object(properties: Sequence[Property], rules: Sequence[QualityRule]) -> Schema:
    schema: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for prop in properties:
        own = [rule for rule in rules if rule.property == prop.name]
        made = property_schema(prop)
        also = [part for rule in own for part in _of_rule(rule)]
        if also:
            made["allOf"] = also
        never_null = prop.required or prop.primary_key is not None
        never_null = never_null or any(rule.metric == "nullValues" for rule in own)
        schema["properties"][prop.name] = made if never_null else _or_null(made)
        if never_null:
            schema["required"].append(prop.name)
    return schema


def _of_rule(rule: QualityRule) -> Iterator[Schema]:
    values, pattern = rule.arguments.get("validValues"), rule.arguments.get("pattern")
    if isinstance(values, list):
        yield {"enum": values}
    if isinstance(pattern, str) and _is_portable(pattern):
        yield {"pattern": pattern}


def _or_null(schema: Schema) -> Schema:
    words: Schema = {name: schema.pop(name) for name in ("description", "examples") if name in schema}
    return {**words, "anyOf": [schema, {"type": "null"}]}


def _part(prop: Property) -> Schema:
    made = property_schema(prop)
    return _or_null(made) if "avroNull" in prop.custom else made


def _range(form: str) -> tuple[int, int]:
    bits = _BITS.get(form, 64)
    return (0, 2**bits - 1) if form.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _bounds(prop: Property, least: int | None, most: int | None) -> Schema:
    """The narrower of what the contract says and what the type holds."""
    said = prop.options
    found: Schema = {}
    for name, edge, narrower in (("inimum", least, max), ("aximum", most, min)):
        bound = [v for v in (said.get(f"m{name}"), edge) if isinstance(v, int | float)]
        exclusive = said.get(f"exclusiveM{name}")
        if exclusive is True and bound:
            found[f"exclusiveM{name}"] = narrower(bound)
            continue
        if bound:
            found[f"m{name}"] = narrower(bound)
        if type(exclusive) in (int, float):
            found[f"exclusiveM{name}"] = exclusive
    return found


def _decimal(prop: Property) -> Schema:
    precision, scale = prop.custom["precision"], prop.custom.get("scale", 0)
    point = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
    return {
        "type": ["number", "string"],
        "pattern": rf"^-?[0-9]{{1,{max(precision - scale, 1)}}}{point}$",
        **_bounds(prop, -(10 ** (precision - scale)), 10 ** (precision - scale)),
    }


def _sizes(options: Any) -> Schema:
    return {name: options[name] for name in ("minProperties", "maxProperties") if name in options}


def _of_avro(tree: Any) -> Schema:
    """A type that only Avro can say: its kind, and everything else left open."""
    if isinstance(tree, list):
        return {"anyOf": [_of_avro(branch) for branch in tree]}
    name = tree.get("type") if isinstance(tree, dict) else tree
    kinds = {"record": "object", "map": "object", "array": "array", "enum": "string", "fixed": "string"}
    kind = {**_AVRO, **kinds}.get(str(name))
    return {"type": kind} if kind else {}


def _all(properties: Sequence[Property]) -> Iterator[Property]:
    for prop in properties:
        yield prop
        inner: Property | None = prop
        while inner is not None:
            yield from _all(inner.properties)
            inner = inner.items or inner.values


def _is_portable(pattern: str) -> bool:
    """Whether a pattern means the same to RE2 and to the regular expressions of JSON Schema."""
    return re.search(r"\(\?[^:]|\\[AzpPQCa]|\[\[:", pattern) is None
