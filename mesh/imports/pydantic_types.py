"""Python annotations as the standard's types, and Pydantic's constraints as logicalTypeOptions."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin
from uuid import UUID

LISTS: Final = (list, set, frozenset, tuple, Sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """What a Python type is in a contract, and in Avro when it may stand in a union."""

    logical_type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    avro: str | None = None
    decimal: bool = False


class _Scalars(dict[Any, Scalar]):
    """Plain types; those of Pydantic are looked up only when a model is there that uses them."""

    def __missing__(self, kind: Any) -> Scalar:
        found = _of_pydantic().get(kind)
        if found is None:
            raise KeyError(kind)
        return found

    def __contains__(self, kind: object) -> bool:
        return self.get(kind) is not None

    def get(self, kind: Any, default: Any = None) -> Any:
        try:
            return self[kind]
        except (KeyError, TypeError):
            return default


SCALARS: Final = _Scalars(
    {
        str: Scalar(logical_type="string", avro="string"),
        int: Scalar(logical_type="integer", avro="long"),
        float: Scalar(logical_type="number", avro="double"),
        bool: Scalar(logical_type="boolean", avro="boolean"),
        bytes: Scalar(logical_type="string", custom={"avroType": "bytes"}, avro="bytes"),
        date: Scalar(logical_type="date"),
        datetime: Scalar(logical_type="timestamp"),
        time: Scalar(logical_type="time"),
        Decimal: Scalar(logical_type="number", decimal=True),
        UUID: Scalar(logical_type="string", options={"format": "uuid"}),
    }
)


@cache
def _of_pydantic() -> Mapping[Any, Scalar]:
    import ipaddress

    import pydantic

    local = {"timezone": False}
    return {
        pydantic.AwareDatetime: Scalar(logical_type="timestamp", options={"timezone": True}),
        pydantic.NaiveDatetime: Scalar(logical_type="timestamp", options=local),
        pydantic.EmailStr: Scalar(logical_type="string", options={"format": "email"}),
        pydantic.AnyUrl: Scalar(logical_type="string", options={"format": "uri"}),
        pydantic.HttpUrl: Scalar(logical_type="string", options={"format": "uri"}),
        ipaddress.IPv4Address: Scalar(logical_type="string", options={"format": "ipv4"}),
        ipaddress.IPv6Address: Scalar(logical_type="string", options={"format": "ipv6"}),
    }


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """An annotation without `Annotated` and `None`; `several` are the types of a union."""

    kind: Any
    metadata: tuple[Any, ...]
    nullable: bool
    several: tuple[Any, ...] = ()


def unwrap(annotation: Any, metadata: tuple[Any, ...]) -> Unwrapped:
    """What an annotation means for a field, whatever it is wrapped in."""
    if get_origin(annotation) is Annotated:
        inner, *extra = get_args(annotation)
        more = [part for item in extra for part in getattr(item, "metadata", [item])]
        return unwrap(inner, (*metadata, *more))
    if get_origin(annotation) in (Union, types.UnionType):
        branches = [branch for branch in get_args(annotation) if branch is not type(None)]
        nullable = len(branches) < len(get_args(annotation))
        if len(branches) == 1:
            inner_found = unwrap(branches[0], metadata)
            return Unwrapped(
                inner_found.kind,
                inner_found.metadata,
                nullable or inner_found.nullable,
                inner_found.several,
            )
        return Unwrapped(annotation, metadata, nullable, tuple(branches))
    return Unwrapped(annotation, metadata, False)


_WORDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_SIZES: Final = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
}


def options_of(metadata: Sequence[Any], logical_type: str) -> dict[str, Any]:
    """The constraints as logicalTypeOptions."""
    return constraints_of(metadata, logical_type)[0]


def constraints_of(metadata: Sequence[Any], logical_type: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The constraints as logicalTypeOptions, and the digits of a decimal as custom properties."""
    options: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for item in metadata:
        for name in (*_WORDS, "min_length", "max_length", "max_digits", "decimal_places"):
            value = _fact(item, name)
            if value is not None:
                facts[name] = value
    for name, option in _WORDS.items():
        if name in facts:
            options[option] = _bound(facts[name], logical_type)
    least, most = _SIZES.get(logical_type, ("", ""))
    if least and facts.get("min_length"):
        options[least] = facts["min_length"]
    if most and "max_length" in facts:
        options[most] = facts["max_length"]
    digits = {}
    if {"max_digits", "decimal_places"} <= facts.keys():
        digits = {"precision": facts["max_digits"], "scale": facts["decimal_places"]}
    return options, digits


def _fact(item: Any, name: str) -> Any:
    # Pydantic keeps `pattern` and the digits in an object whose attributes are its instance dictionary.
    own = getattr(item, "__dict__", {})
    value = own.get(name) if name in own else getattr(item, name, None)
    return None if callable(value) else value


def _bound(value: Any, logical_type: str) -> Any:
    """A bound as the standard writes it: text for times, numbers else."""
    if logical_type in ("date", "time", "timestamp"):
        text = value.isoformat()
        return text.replace("+00:00", "Z") if logical_type == "timestamp" else text
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return getattr(value, "pattern", value)
