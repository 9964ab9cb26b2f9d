"""The log's order decides which record of a command acts; the others get its answer, on every replica."""

from __future__ import annotations

from mesh_platform.commands import Commands, named
from mesh_platform.governance.state import Refused
from mesh_platform.log import Record


def record(offset: int, command: str, actor: str = "ann") -> Record:
    return Record(offset, "2026-01-01T00:00:00Z", actor, "registry.register", {}, command)


def test_the_first_record_of_a_command_acts_and_the_next_get_its_answer() -> None:
    commands, decided = Commands(), list[int]()

    def decide(found: Record) -> object:
        decided.append(found.offset)
        return found.offset

    first, again = record(4, named("k", "r")), record(7, named("k", "r"))
    assert [commands.once(first, decide), commands.once(again, decide)] == [4, 4]
    assert decided == [4]


def test_another_request_under_a_known_key_does_not_act() -> None:
    commands = Commands()
    commands.once(record(1, named("k", "r")), lambda found: found.offset)
    outcome = commands.once(record(2, named("k", "other")), lambda found: found.offset)
    assert isinstance(outcome, Refused)
    assert outcome.code == "MESH-S022"


def test_the_same_key_of_another_principal_is_another_command() -> None:
    commands = Commands()
    commands.once(record(1, named("k", "r")), lambda found: found.offset)
    assert commands.once(record(2, named("k", "r"), actor="bob"), lambda found: found.offset) == 2
