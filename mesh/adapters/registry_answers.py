"""What a registry's answers mean, whoever serves it: shapes, refusals, schemas with their references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

from mesh.adapters.http import Budget
from mesh.errors import RegistryError, UnreachableError

NOT_SERVED = (404, 405, 501)


class Requests(Protocol):
    """HTTP to one registry; UnreachableError when nothing sensible comes back."""

    def request(
        self, method: str, path: str, body: object | None = None, *, budget: Budget | None = None
    ) -> tuple[int, Any]: ...

    def unreachable(self, why: str) -> UnreachableError: ...


def escaped(part: str) -> str:
    """A subject or another name as one part of a path."""
    return quote(part, safe="")


@contextmanager
def understood(http: Requests) -> Iterator[None]:
    """Within, an answer that has not the shape it should have is an answer of nobody: UnreachableError."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise http.unreachable("it answers JSON, and not what a schema registry would answer") from error


def accept(status: int, answer: Any, where: str) -> None:
    """Go on when the registry did as asked; raises RegistryError with the registry's own words when not."""
    if status < 400:
        return
    facts = answer if isinstance(answer, dict) else {}
    message = str(facts.get("message", answer))
    told = facts.get("error_code")
    raise RegistryError(
        message,
        status=status,
        registry_code=told if isinstance(told, int) else status,
        code=f"MESH-R{status}",
        where=where,
        why=f"the registry answered {status}",
        fix=message.partition("run: ")[2] or "mesh plan",
    )


def avro_text(answer: Mapping[str, Any], where: str) -> str:
    """The Avro schema of an answer; raises RegistryError (MESH-R002) for a schema of another kind.

    Registries up to Confluent 7 leave the type out when it is Avro.
    """
    kind = answer.get("schemaType") or "AVRO"
    if kind != "AVRO":
        raise RegistryError(
            f"{where} is {kind}, not Avro",
            code="MESH-R002",
            where=where,
            why="events of a mesh are Avro",
            fix="check which registry the publisher used",
        )
    text = answer["schema"]
    if not isinstance(text, str):
        raise TypeError("a schema is text")
    return text
