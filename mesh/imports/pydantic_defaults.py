"""Defaults and examples of Pydantic fields as plain data; a default that is computed stays behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default of a field: whether there is one, its value, or why it cannot be told."""

    given: bool = False
    value: Any = None
    problem: str = ""

    @property
    def is_none(self) -> bool:
        """Whether the default is None."""
        return self.given and self.value is None and not self.problem


def default_of(field: Any) -> Default:
    """The default of a Pydantic field as Avro writes it."""
    if field.default_factory is not None:
        # An empty list is the same each time; what other factories make cannot be known without running them.
        empty: dict[Any, Any] = {list: [], tuple: [], set: [], frozenset: [], dict: {}}
        if field.default_factory in empty:
            return Default(given=True, value=empty[field.default_factory])
        return Default(problem="a default that is computed; the field is required")
    if field.is_required():
        return Default()
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if not _is_json(value):
        kind = type(value).__name__
        return Default(problem=f"a default of type {kind}; the field is required")
    return Default(given=True, value=_lists(value))


def plain(value: Any) -> Any:
    """An example as people write it in YAML."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, datetime | date | time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal | UUID | bytes):
        return float(value) if isinstance(value, Decimal) else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return value is None or type(value) in (bool, int, float, str)


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value
