"""Single requests in the version one wants, to either broker; fields are kio's names, values are plain."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from tests.unit.broker_kit import Raw, request_kind


class Asking(Raw):
    """A connection to a broker given by its address."""

    def __init__(self, bootstrap: str) -> None:
        host, port = bootstrap.split(",")[0].rsplit(":", 1)
        super().__init__({"host": host, "port": int(port)})

    def call(self, api_key: int, version: int, **values: Any) -> Any:
        """The answer to a request with these values; fields that the version has not are left out."""
        return self.ask(entity(request_kind(api_key, version), values))


def entity(kind: Any, values: Mapping[str, Any]) -> Any:
    """A kio entity of plain values: dicts for what is nested, milliseconds for durations."""
    found = {f.name: _value(f, values[f.name]) for f in dataclasses.fields(kind) if f.name in values}
    return kind(**found)


def _value(field: Any, value: Any) -> Any:
    kind = field.type
    if NoneType in get_args(kind):
        kind = next(a for a in get_args(kind) if a is not NoneType)
    if value is not None and getattr(kind, "__origin__", None) is tuple:
        item = get_args(kind)[0]
        return tuple(entity(item, v) if dataclasses.is_dataclass(item) else v for v in value)
    if str(field.metadata.get("kafka_type")).startswith("timedelta"):
        return datetime.timedelta(milliseconds=value)
    return value
