"""One event as a handler gets it: its fields, and who it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from mesh.errors import Position
from mesh.event.identity import identity
from mesh.event.record import text_headers
from mesh.interfaces import Message

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded, checked event. `event["field"]` is a field of it."""

    fields: Mapping[str, Any]
    message: Message = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    @property
    def id(self) -> str:
        """Unique per fact, and the same however often the event comes: what an inbox remembers."""
        return identity(self.message)

    @property
    def key(self) -> bytes | None:
        """The record key."""
        return self.message.key()

    @property
    def headers(self) -> dict[str, str]:
        """The headers as text."""
        return text_headers(self.message.headers())

    @property
    def position(self) -> Position:
        """Where it stands on its topic; a retry does not change that."""
        return Position(self.message.topic(), self.message.partition(), self.message.offset())

    def model(self, model: type[Model]) -> Model:
        """As an instance of a Pydantic model."""
        return model.model_validate(self.fields)
