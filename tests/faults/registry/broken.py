"""Registries broken on purpose, one fault each: a verifier is worth something only if it sees them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from mesh_platform import control
from mesh_platform.governance.gate import ContractGate
from mesh_platform.log import Record, SqliteLog
from mesh_platform.registry import registration, verdict
from mesh_platform.registry.contexts import DEFAULT
from mesh_platform.registry.ids import Ids
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
        made = Record(log._next + len(waiting) - 1, **record)
        deliver, log._deliver = log._deliver, lambda _: None
        if len(waiting) > 5:
            for each in waiting:
                append(log, **each)
            waiting.clear()
        log._deliver = deliver
        deliver([made])
        return made

    mock.patch.object(SqliteLog, "append", late).start()


def judge_before_the_log() -> None:
    """Judges a schema by what was there before the latest version came: too early where two race."""
    judged = verdict.judged

    def early(subjects: Any, subject: str, config: Any, content: Any, live: Any) -> Any:
        return judged(subjects, subject, config, content, live[:-1])

    mock.patch.object(registration, "judged", early).start()


def count_again() -> None:
    """Counts ids by the schemas that are left: one that was given may come again."""
    remove = Subjects.remove

    def forgetful(subjects: Any, version: Any) -> None:
        remove(subjects, version)
        ids = subjects.ids(DEFAULT)
        if not ids.in_use(version.id):
            content = ids.contents.pop(version.id)
            ids._by_identity.pop(content.identity, None)
            ids._by_guid.pop(content.guid_key, None)
            ids.last = len(ids.contents)

    mock.patch.object(Subjects, "remove", forgetful).start()


def an_id_for_each_subject() -> None:
    """Does not see that a schema is known already under another subject."""
    give = Ids.give

    def anew(ids: Any, content: Any, *schema_id: Any) -> int:
        ids._by_identity.pop(content.identity, None)
        return give(ids, content, *schema_id)

    mock.patch.object(Ids, "give", anew).start()


def open_gate() -> None:
    """Lets every schema into a subject that a product owns."""
    mock.patch.object(ContractGate, "check", return_value=None).start()


def forget_deletions() -> None:
    """Answers a soft deletion, and keeps nothing of it."""
    mock.patch.object(Subjects, "hide").start()


def decide_by_the_process() -> None:
    """Lets something else than the log decide: every process begins its ids somewhere else."""
    mock.patch.object(Ids, "__init__", _from_elsewhere).start()


def _from_elsewhere(ids: Any) -> None:
    ids.contents, ids.uses, ids.listed, ids._by_identity, ids._by_guid = {}, {}, False, {}, {}
    ids.last = os.getpid()


def deaf() -> None:
    """Applies what it wrote itself, and nothing that another process wrote."""
    take_in = control.ControlPlane._take_in

    def own(self: Any, records: Any) -> None:
        due = self._waiting._due
        take_in(self, [record for record in records if (record.actor, record.command) in due])

    mock.patch.object(control.ControlPlane, "_take_in", own).start()


KINDS: Mapping[str, Callable[[], None]] = {
    "forget-the-tail": forget_the_tail,
    "answer-before-the-log": answer_before_the_log,
    "judge-before-the-log": judge_before_the_log,
    "count-again": count_again,
    "an-id-for-each-subject": an_id_for_each_subject,
    "open-gate": open_gate,
    "forget-deletions": forget_deletions,
    "decide-by-the-process": decide_by_the_process,
    "deaf": deaf,
}
