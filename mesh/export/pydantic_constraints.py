"""logicalTypeOptions as arguments of Pydantic's `Field`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final

from mesh.contract.model import Property
from mesh.export.python_source import Bracketed, Named, Source, Text, literal

_BOUNDS: Final = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_SIZES: Final = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
}
_TIMES: Final[dict[str, type[date] | type[time] | type[datetime]]] = {
    "date": date,
    "time": time,
    "timestamp": datetime,
}


def facts_of(prop: Property) -> list[Named]:
    """The constraints of a property, in a fixed order; what Pydantic has no argument for is left out."""
    facts: list[Named] = []
    for option, argument in _BOUNDS.items():
        value = prop.options.get(option)
        if prop.logical_type in _TIMES:
            bound = _moment(value, prop.logical_type)
        else:
            bound = repr(value) if type(value) in (int, float) else None
        if bound is not None:
            facts.append(Named(argument, bound))
    for option, argument in _SIZES.items():
        if type(prop.options.get(option)) is int:
            facts.append(Named(argument, repr(prop.options[option])))
    if isinstance(prop.options.get("pattern"), str):
        facts.append(Named("pattern", Text(prop.options["pattern"])))
    form = prop.options.get("format")
    if prop.logical_type == "string" and isinstance(form, str) and form != "uuid":
        facts.append(Named("json_schema_extra", literal({"format": form})))
    if prop.logical_type == "number" and "precision" in prop.custom:
        facts.append(Named("max_digits", repr(prop.custom["precision"])))
        facts.append(Named("decimal_places", repr(prop.custom.get("scale", 0))))
    return facts


def _moment(text: Any, kind: str) -> Source | None:
    if not isinstance(text, str):
        return None
    try:
        found = _TIMES[kind].fromisoformat(text)
    except ValueError:
        return None
    if isinstance(found, datetime):
        found = found.astimezone(UTC) if found.tzinfo is not None else found
        parts = [found.year, found.month, found.day, found.hour, found.minute, found.second]
    elif isinstance(found, date):
        parts = [found.year, found.month, found.day]
    else:
        parts = [found.hour, found.minute, found.second]
    arguments: list[Source] = [str(part) for part in parts]
    if isinstance(found, datetime) and found.tzinfo is not None:
        arguments.append("tzinfo=UTC")
    return Bracketed(f"{_TIMES[kind].__name__}(", arguments, ")")
