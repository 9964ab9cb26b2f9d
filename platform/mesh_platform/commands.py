"""Commands that come again: each is carried out once, and its repetitions get the same answer.

A client that lost an answer sends its request again, perhaps to another process. What decides is the
log's order: the first record of a command acts, later ones change nothing. This is part of the state,
the same on every replica: it depends on nothing but the records.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

from mesh_platform.governance.state import Refused
from mesh_platform.log.record import Record
from mesh_platform.outcomes import read, written

#: How many commands are remembered. A retry comes within minutes; nobody retries past so many others.
REMEMBERED: Final = 1_000
_SEPARATOR: Final = "/"


def named(key: str, request: str) -> str:
    """A command's name: the key its client gave it, and what tells its request from others."""
    return f"{key}{_SEPARATOR}{request}"


class Commands:
    """The outcomes of the latest commands, by who sent them and how they are named."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[tuple[str, str], tuple[str, object]] = OrderedDict()

    def answer(self, actor: str, command: str) -> object:
        """What this command led to already; None when it has not come yet, or too long ago."""
        key, _, request = command.partition(_SEPARATOR)
        known = self._outcomes.get((actor, key))
        if known is None:
            return None
        return known[1] if known[0] == request else _another(key)

    def once(self, record: Record, decide: Callable[[Record], object]) -> object:
        """What a record's command led to: decided now, or remembered from when it came first."""
        if not record.command:
            return decide(record)
        key, _, request = record.command.partition(_SEPARATOR)
        known = self._outcomes.get((record.actor, key))
        if known is None:
            known = self._outcomes[(record.actor, key)] = (request, decide(record))
            if len(self._outcomes) > REMEMBERED:
                self._outcomes.popitem(last=False)
        return known[1] if known[0] == request else _another(key)

    def snapshot(self) -> Iterator[list[Any]]:
        """What is remembered now, oldest first; it may change while the parts are taken."""
        known = list(self._outcomes.items())
        return ([actor, key, request, written(outcome)] for (actor, key), (request, outcome) in known)

    def restore(self, part: list[Any]) -> None:
        """Remember one command of a snapshot."""
        actor, key, request, outcome = part
        self._outcomes[actor, key] = (request, read(outcome))


def _another(key: str) -> Refused:
    return Refused(
        422,
        "MESH-S022",
        f"the idempotency key {key} was used for another request",
        "a key names one request, so that its repetitions are known",
        "send each new request with a new Idempotency-Key",
    )
