"""Verifying a control log: every record that was edited, deleted, moved or doubled shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from mesh_platform.audit.state import CHECKPOINT, CHECKPOINT_EVERY
from mesh_platform.audit.verification import Anchor, verify
from mesh_platform.control import ControlPlane
from mesh_platform.log import Record, SqliteLog
from mesh_platform.log.entry import Entry, entry_of
from mesh_platform.log.record import GENESIS
from mesh_platform.log.sqlite_reader import SqliteReader
from tests.unit.control_story import MemoryLog, records, replayed

STORY = records(checkpoint_every=5)
VOUCHED = max(record.offset for record in STORY if record.kind == CHECKPOINT)


def entries(found: Iterable[Record]) -> list[Entry]:
    """As a log with several writers holds them: no hash beside any."""
    return [entry_of(record) for record in found]


def numbered(found: Iterable[Entry]) -> list[Entry]:
    """As a log numbers what it is given: whoever rewrites a log rewrites its offsets too."""
    return [replace(entry, offset=offset) for offset, entry in enumerate(found)]


def edited_body(found: list[Entry], n: int) -> list[Entry]:
    return [*found[:n], replace(found[n], body=found[n].body[:-1] + " }"), *found[n + 1 :]]


def edited(member: str) -> Callable[[list[Entry], int], list[Entry]]:
    def edit(found: list[Entry], n: int) -> list[Entry]:
        other: dict[str, str] = {member: getattr(found[n], member) + "x"}
        return [*found[:n], replace(found[n], **other), *found[n + 1 :]]  # type: ignore[arg-type]

    return edit


MUTATIONS: dict[str, Callable[[list[Entry], int], list[Entry]]] = {
    "edited body": edited_body,
    "edited time": edited("time"),
    "edited actor": edited("actor"),
    "edited kind": edited("kind"),
    "edited command": edited("command"),
    "deleted": lambda found, n: numbered(found[:n] + found[n + 1 :]),
    "deleted, with its offset": lambda found, n: found[:n] + found[n + 1 :],
    "moved": lambda found, n: numbered([*found[:n], found[n + 1], found[n], *found[n + 2 :]]),
    "moved far": lambda found, n: numbered([*found[:n], *found[n + 1 : -1], found[n], found[-1]]),
    "doubled": lambda found, n: numbered([*found[: n + 1], *found[n:]]),
}


def test_a_log_that_nobody_touched_verifies() -> None:
    verified = verify(entries(STORY))
    assert verified.flaw is None
    assert (verified.records, verified.head) == (len(STORY), replayed(STORY).audit.chain)
    assert verified.checkpoints == sum(record.kind == CHECKPOINT for record in STORY)


def test_an_empty_log_verifies() -> None:
    assert verify([]).head == GENESIS


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_checkpoints_show_what_was_done_to_any_record_they_vouch_for(mutation: str) -> None:
    for n in range(VOUCHED - 1):
        flaw = verify(MUTATIONS[mutation](entries(STORY), n)).flaw
        assert flaw is not None, n
        assert flaw.first <= n + 1, n
        assert n <= flaw.last <= n + 12, "two checkpoints later at most: the next may be the record itself"


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_hashes_beside_the_records_show_the_very_record(mutation: str) -> None:
    chain, kept = GENESIS, list[Entry]()
    for entry in entries(STORY):
        chain = entry.after(chain)
        kept.append(replace(entry, chain=chain))
    assert verify(kept).flaw is None
    for n in range(len(STORY) - 2):
        flaw = verify(MUTATIONS[mutation](kept, n)).flaw
        assert flaw is not None, n
        assert (flaw.first, flaw.last) == ((n + 1, n + 1) if mutation == "doubled" else (n, n))


def test_hashes_that_were_made_anew_do_not_deceive_the_checkpoints() -> None:
    forged, chain = list[Entry](), GENESIS
    for entry in edited("actor")(entries(STORY), 2):
        chain = entry.after(chain)
        forged.append(replace(entry, chain=chain))
    flaw = verify(forged).flaw
    assert flaw is not None
    assert flaw.witness.startswith("the checkpoint")


def test_a_flaw_lies_after_the_last_checkpoint_that_held() -> None:
    checkpoints = [record.offset for record in STORY if record.kind == CHECKPOINT]
    between = checkpoints[1] + 2
    flaw = verify(edited_body(entries(STORY), between)).flaw
    assert flaw is not None
    assert checkpoints[0] < flaw.first <= between <= flaw.last < checkpoints[2]


def test_an_anchor_shows_what_was_done_after_the_last_checkpoint() -> None:
    head = verify(entries(STORY)).head
    last = len(STORY) - 1
    anchor = Anchor(last, head, "--expect")
    assert verify(entries(STORY), [anchor]).flaw is None
    assert verify(edited("actor")(entries(STORY), last), [anchor]).flaw is not None


@pytest.mark.parametrize("kept", range(len(STORY)))
def test_an_anchor_shows_that_the_end_was_cut_off(kept: int) -> None:
    anchor = Anchor(len(STORY) - 1, verify(entries(STORY)).head, "--expect")
    flaw = verify(entries(STORY[:kept]), [anchor]).flaw
    assert flaw is not None
    assert flaw.last == len(STORY) - 1


def test_anchors_are_heard_in_the_order_of_the_log() -> None:
    heads = [replayed(STORY[:n]).audit.chain for n in (10, 20)]
    good = [Anchor(19, heads[1], "b"), Anchor(9, heads[0], "a")]
    assert verify(entries(STORY), good).flaw is None
    bad = [good[0], Anchor(9, heads[1], "a")]
    flaw = verify(entries(STORY), bad).flaw
    assert flaw is not None
    assert flaw.witness == "a"


@pytest.mark.parametrize(
    "body", ["{}", "[]", "7", '{"offset":"x","chain":1}', '{"offset":99,"chain":"0"}', "{"]
)
def test_a_checkpoint_of_no_sense_is_a_flaw(body: str) -> None:
    first = next(record.offset for record in STORY if record.kind == CHECKPOINT)
    found = entries(STORY)
    found[first] = replace(found[first], body=body)
    flaw = verify(found).flaw
    assert flaw is not None
    assert flaw.first <= first == flaw.last


def test_a_file_verifies_while_somebody_writes_into_it(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "control.db")
    for record in STORY:
        log.append(
            time=record.time,
            actor=record.actor,
            kind=record.kind,
            body=record.body,
            command=record.command,
        )
    reader = SqliteReader(tmp_path / "control.db")
    walk = reader.entries()
    first = next(walk)
    log.append(time="t", actor="a", kind="k", body={})
    verified = verify([first, *walk])
    assert (verified.records, verified.flaw) == (len(STORY), None)
    assert verify(reader.entries()).records == len(STORY) + 1
    reader.close()
    log.close()


def test_a_file_from_before_commands_had_names_verifies(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "control.db")
    for n in range(3):
        log.append(time="t", actor="a", kind="k", body={"n": n})
    log.close()
    with sqlite3.connect(tmp_path / "control.db") as old:
        old.execute("alter table control_log drop column command")
    old.close()
    reader = SqliteReader(tmp_path / "control.db")
    assert verify(reader.entries()).flaw is None
    reader.close()


def test_a_platform_on_a_log_without_hashes_writes_checkpoints_and_one_at_its_end() -> None:
    log = MemoryLog()
    control = ControlPlane(log)
    for n in range(2 * CHECKPOINT_EVERY + 10):
        control.submit_now("k", {"n": n}, "ann")
    control.close()
    at = [record.offset for record in log.records if record.kind == CHECKPOINT]
    assert at == [CHECKPOINT_EVERY, 2 * CHECKPOINT_EVERY + 1, len(log.records) - 1]
    assert verify(entries(log.records)).flaw is None


def test_a_platform_on_a_log_that_keeps_hashes_writes_no_checkpoints(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "control.db")
    control = ControlPlane(log)
    for n in range(CHECKPOINT_EVERY + 10):
        control.submit_now("k", {"n": n}, "ann")
    control.close()
    reader = SqliteReader(tmp_path / "control.db")
    assert verify(reader.entries()).checkpoints == 0
    reader.close()


def test_a_platform_says_so_when_another_one_saw_other_records(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    control = ControlPlane(log)
    control.submit_now("k", {"n": 1}, "ann")
    stranger = {"offset": 0, "chain": "f" * 64}
    log.append(time="t", actor="platform", kind=CHECKPOINT, body=stranger)
    control.submit_now("k", {"n": 2}, "ann")
    assert "MESH-S030" in capsys.readouterr().err
    control.submit_now("k", {"n": 3}, "ann")
    assert capsys.readouterr().err == ""


def test_a_checkpoint_that_comes_late_is_compared_with_the_records_it_speaks_of() -> None:
    found = records()
    late = replayed(found[:3]).audit.checkpoint()
    views = replayed([*found, Record(len(found), "t", "platform", CHECKPOINT, late)])
    assert views.audit.disagreements == []
    early = {**late, "offset": 1}
    views = replayed([*found, Record(len(found), "t", "platform", CHECKPOINT, early)])
    assert [(one.at, one.offset) for one in views.audit.disagreements] == [(len(found), 1)]


def test_the_chain_of_the_views_is_the_one_beside_the_records(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "control.db")
    odd = {"n": [1e300, -0.0, 2**70, "\u2028", "\U0001f600", "\x00", None, True], "é": {"b": 1, "a": 2}}
    log.append(time="t", actor="ann", kind="k", body=odd, command="c")
    assert replayed(list(log.read())).audit.chain == log.chain
    log.close()
