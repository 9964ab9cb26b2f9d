"""Requests that wait for their own record to come back from the log."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from mesh.errors import MeshError
from mesh_platform.log.record import Record


class Waiting:
    """Answers that are due, by who asked and how the command is named."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], list[Future[object]]] = {}
        self._until: list[tuple[int, Future[object]]] = []

    def expect(self, actor: str, command: str) -> Future[object]:
        """An answer that will be given when the command's record was applied."""
        answer: Future[object] = Future()
        with self._lock:
            self._due.setdefault((actor, command), []).append(answer)
        return answer

    def until(self, end: int) -> Future[object]:
        """Done when every record before `end` has come."""
        reached: Future[object] = Future()
        with self._lock:
            self._until = [each for each in self._until if not each[1].done()]
            self._until.append((end, reached))
        return reached

    def came(self, record: Record, outcome: object) -> None:
        """A record was applied: whoever waits for it is answered."""
        with self._lock:
            due = self._due.pop((record.actor, record.command), [])
            due += [reached for end, reached in self._until if end == record.offset + 1]
        for answer in due:
            settle(answer, outcome)

    def forget(self, actor: str, command: str, answer: Future[object]) -> None:
        """Nobody waits for this answer any more."""
        with self._lock:
            due = self._due.get((actor, command), [])
            if answer in due:
                due.remove(answer)
            if not due:
                self._due.pop((actor, command), None)

    def fail(self, error: MeshError) -> None:
        """Nobody will be answered any more: all are told why."""
        with self._lock:
            due = [answer for answers in self._due.values() for answer in answers]
            self._due.clear()
        for answer in due:
            settle(answer, error)


def settle(answer: Future[object], outcome: object) -> None:
    """Give an answer, or a MeshError for none, to whoever still waits for it."""
    if not answer.done():
        answer.set_result(outcome)
