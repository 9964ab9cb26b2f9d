"""Registries broken on purpose, one fault each: a verifier is worth something only if it sees them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from mesh_platform import control
from mesh_platform.governance.gate import ContractGate
from mesh_platform.log import Record, SqliteLog
from mesh_platform.registry import registration, state
from mesh_platform.registry.model import Content
from mesh_platform.registry.subjects import Subjects


def forget_the_tail() -> None:
    """Loses the last record of the log at every start."""
    read = SqliteLog.read

    def shortened(log: Any, start: int = 0) -> Any:
        log._db.execute(
            "delete from control_log where log_offset = (select max(log_offset) from control_log)"
        )
        log._next = max(0, log._next - 1)
        return read(log, start)

    mock.patch.object(SqliteLog, "read", shortened).start()


def answer_before_the_log() -> None:
    """Answers a write while its record still waits for the next five."""
    append = SqliteLog.append
    waiting: list[dict[str, Any]] = []

    def late(log: Any, **record: Any) -> Record:
        waiting.append(record)
        offset = log._next + len(waiting) - 1
        if len(waiting) > 5:
            for each in waiting:
                append(log, **each)
            waiting.clear()
        return Record(offset, record["time"], record["actor"], record["kind"], record["body"])

    mock.patch.object(SqliteLog, "append", late).start()


def judge_before_the_log() -> None:
    """Judges a schema by what it sees when it is asked; by when the log has it, others came first."""
    submit, judged = control.ControlPlane.submit, registration._place

    async def slow(self: Any, kind: str, body: Any, actor: str) -> Any:
        draft = registration.settled(self.registry, body) if kind == state.REGISTER else None
        if isinstance(draft, registration.Draft):
            content = registration._content(self.registry, draft)
            refusal = judged(self.registry, draft, content)
            await asyncio.sleep(0.005)
            if refusal is not None:
                return refusal
        return await submit(self, kind, body, actor)

    mock.patch.object(control.ControlPlane, "submit", slow).start()
    mock.patch.object(registration, "_place", return_value=None).start()


def count_again() -> None:
    """Counts ids by the schemas that are left: one that was given may come again."""
    remove = Subjects.remove

    def forgetful(subjects: Any, version: Any) -> None:
        remove(subjects, version)
        if not subjects.uses(version.id):
            content = subjects._contents.pop(version.id)
            subjects._ids.pop(content.identity, None)
            subjects._guids.pop(content.guid, None)
            subjects._last_id = len(subjects._contents)

    mock.patch.object(Subjects, "remove", forgetful).start()


def an_id_for_each_subject() -> None:
    """Does not see that a schema is known already under another subject."""
    add = Subjects.add

    def apart(subjects: Any, subject: str, content: Any, *rest: Any, **more: Any) -> Any:
        subjects._ids.pop(content.identity, None)
        return add(subjects, subject, content, *rest, **more)

    mock.patch.object(Subjects, "add", apart).start()


def open_gate() -> None:
    """Lets every schema into a subject that a product owns."""
    mock.patch.object(ContractGate, "check", return_value=None).start()


def forget_deletions() -> None:
    """Answers a soft deletion, and keeps nothing of it."""
    mock.patch.object(Subjects, "hide").start()


def decide_by_the_clock() -> None:
    """Lets something else than the log decide: every process names contents anew."""
    import os

    mock.patch.object(Content, "guid", property(lambda content: f"{os.getpid()}-{id(content)}")).start()


KINDS: Mapping[str, Callable[[], None]] = {
    "forget-the-tail": forget_the_tail,
    "answer-before-the-log": answer_before_the_log,
    "judge-before-the-log": judge_before_the_log,
    "count-again": count_again,
    "an-id-for-each-subject": an_id_for_each_subject,
    "open-gate": open_gate,
    "forget-deletions": forget_deletions,
    "decide-by-the-clock": decide_by_the_clock,
}
