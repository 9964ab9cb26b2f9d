"""What a batch leaves behind, in one transaction: dead letters, published events, kept entries.

All of it counts or none, and only from the worker that took over last: a worker that was stopped, or is cut
off, and comes back finds its transaction refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh.burying import Letter, bury
from mesh.errors import EventError
from mesh.figures import Figures
from mesh.interfaces import Message, Sender, Transactional
from mesh.publishing import Publisher
from mesh.streams.state import Changes


class TakenBack(Exception):
    """A batch left nothing behind and can be tried again."""


@dataclass(slots=True)
class Outlet:
    """Writes what batches leave behind; `take_over` first."""

    open: Callable[[], Transactional]
    publisher: Callable[[Sender], Publisher]
    dead_letters: str
    changelog: str
    group: str
    figures: Figures
    _sender: Transactional | None = field(default=None, init=False)
    _publish: Publisher | None = field(default=None, init=False)

    def take_over(self) -> None:
        """Shut out whoever wrote before, this worker included; what they left open is undone."""
        self.close()
        self._sender = self.open()
        self._publish = self.publisher(self._sender)

    def write(self, changes: Changes, poison: Sequence[tuple[Message, EventError]]) -> None:
        """Write all of it. Raises TakenBack when none of it counts, MeshError when no more can be written."""
        sender, publish = self._sender, self._publish
        if sender is None or publish is None:
            raise TakenBack("no worker has taken over yet")
        sender.begin()
        try:
            if poison:
                self._bury(sender, poison)
            if changes.events:
                publish.many(list(changes.events))
            self._keep(sender, changes.entries)
            sender.commit({}, b"")
        except BaseException:
            sender.abort()
            raise
        why = sender.outcome()
        if why is not None:
            self.figures.aborted += 1
            raise TakenBack(why)
        self.figures.committed += 1
        self.figures.published += len(changes.events)
        self.figures.dead_letters += len(poison)

    def close(self) -> None:
        """Undo what is open, and let go of the connection."""
        if self._sender is not None:
            self._sender.close()
        self._sender = self._publish = None

    def _bury(self, sender: Sender, poison: Sequence[tuple[Message, EventError]]) -> None:
        """Bytes and headers untouched, with the reason."""
        bury(sender, self.dead_letters, [Letter(*one) for one in poison], self.group)

    def _keep(self, sender: Sender, entries: Mapping[str, Any]) -> None:
        """As the JSON that Faust recovers."""
        keys = [changelog_json(name) for name in entries]
        values = [None if entry is None else changelog_json(entry) for entry in entries.values()]
        none: list[list[tuple[str, bytes | None]]] = [[]] * len(keys)
        sender.send(self.changelog, keys, values, none, [0] * len(keys))


def changelog_json(value: Any) -> bytes:
    """A key or value of the changelog."""
    return json.dumps(value, separators=(",", ":")).encode()
