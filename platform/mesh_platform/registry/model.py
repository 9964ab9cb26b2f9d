"""What the registry knows, as values; what it needs from outside, as protocols."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mesh.schema import AvroSchema
from mesh.schema.strict_json import Json, compact
from mesh_platform.registry.errors import Refusal

Answer = Json
Outcome = Refusal | Answer
Document = Mapping[str, Json]


class Record(Protocol):
    """One record of the control log."""

    @property
    def offset(self) -> int: ...
    @property
    def time(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, object]: ...


class Gate(Protocol):
    """Decides which schemas a subject may take, from nothing but what the log said before."""

    def check(self, subject: str, schema: AvroSchema) -> str | None:
        """None when the schema may be registered, else a message with the contract and the next command."""
        ...


class OpenGate:
    """The gate of a registry that guards no contracts."""

    def check(self, subject: str, schema: AvroSchema) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """A schema with what travels with it: what one id stands for."""

    schema: AvroSchema
    metadata: Document | None = None
    rule_set: Document | None = None

    @property
    def identity(self) -> str:
        """Equal for equal content, and only then."""
        return compact([self.schema.text, _sorted(self.metadata), _sorted(self.rule_set)])

    @property
    def guid(self) -> str:
        """The content's name everywhere: a UUID of MD5 over text, metadata and rule set."""
        digest = hashlib.md5(self.schema.text.encode(), usedforsecurity=False)
        for part in (self.metadata, self.rule_set):
            if part is not None:
                digest.update(b"\x01" + compact(_sorted(part)).encode())
        return str(uuid.UUID(bytes=digest.digest()))


@dataclass(frozen=True, slots=True)
class Version:
    """A schema's place in a subject; versions count from 1, ids are the registry's."""

    subject: str
    version: int
    id: int
    content: Content
    time: str
    deleted: bool = False


def _sorted(value: object) -> Json:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    assert value is None or isinstance(value, str | int | float)
    return value
