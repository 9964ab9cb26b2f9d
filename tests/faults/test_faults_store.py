"""A damaged or missing store is told with its code and a way out: never a broker that came up empty."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from mesh.errors import PlanError
from mesh_platform.broker import options, process
from mesh_platform.broker.node import Node
from mesh_platform.broker.store import STORE_FILE, Commit

TOPICS = {f"topic-{number}": 2 for number in range(12)}
REFUSED: tuple[dict[str, int], dict[tuple[str, int], int]] = ({}, {})
COMMITTED = {("topic-3", 1): 41}


def opened(data: Path) -> Node:
    return process._open(options.read(["--data", str(data)]))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with topics and a committed offset, closed."""
    node = opened(tmp_path / "data")
    for name, partitions in TOPICS.items():
        node.create_topic(name, partitions, {"retention.ms": "1000"})
    node.store.save_commits("g", [Commit("topic-3", 1, 41, -1, "")])
    node.close()
    return tmp_path / "data"


def folders(data: Path) -> set[str]:
    return {path.name for path in (data / "topics").iterdir()}


def served(data: Path) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
    node = opened(data)
    try:
        commits = {place: commit.offset for place, commit in node.store.commits("g").items()}
        return {name: len(topic.logs) for name, topic in node.topics.items()}, commits
    finally:
        node.close()


def outcome(data: Path) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
    """What is served, or that the process says no."""
    before = folders(data)
    try:
        return served(data)
    except (PlanError, sqlite3.Error):  # the latter where only a later request meets the damage
        assert folders(data) == before
        return REFUSED


@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_a_store_that_is_gone_is_told_and_no_event_is_touched(
    data: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = folders(data)
    (data / STORE_FILE).unlink()
    if damage == "empty":
        (data / STORE_FILE).write_bytes(b"")
    assert process.main(["--data", str(data)]) == 1
    said = capsys.readouterr().err
    assert "MESH-P107" in said
    assert "restore" in said
    assert folders(data) == before


def test_a_store_older_than_the_events_is_told_and_no_event_is_touched(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / STORE_FILE, tmp_path / "older")
    node = opened(data)
    node.create_topic("young", 1, {})
    node.close()
    shutil.copy(tmp_path / "older", data / STORE_FILE)
    before = folders(data)
    with pytest.raises(PlanError, match="MESH-P107"):
        opened(data)
    assert folders(data) == before


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_store_that_cannot_be_read_is_told(
    data: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / STORE_FILE).write_bytes(content)
    assert process.main(["--data", str(data)]) == 1
    assert "MESH-P106" in capsys.readouterr().err
    assert len(folders(data)) == len(TOPICS)


def test_a_cut_store_is_told(data: Path) -> None:
    whole = (data / STORE_FILE).read_bytes()
    for cut in range(len(whole) - 512, 512, -512):
        (data / STORE_FILE).write_bytes(whole[:cut])
        assert outcome(data) in (REFUSED, (TOPICS, COMMITTED)), cut
        assert len(folders(data)) == len(TOPICS)


def test_no_flipped_bit_in_the_store_makes_the_broker_come_up_with_fewer_topics(data: Path) -> None:
    whole = (data / STORE_FILE).read_bytes()
    whole_folders = {*data.glob("topics/*/*")}
    dice, ends = random.Random(7), Counter[bool]()
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        (data / STORE_FILE).write_bytes(damaged)
        found = outcome(data)
        ends[found == REFUSED] += 1
        assert found == REFUSED or all(found[0].get(name, 0) >= count for name, count in TOPICS.items())
        assert len(folders(data)) == len(TOPICS)
        for extra in data.glob("broker.sqlite-*"):
            extra.unlink()
        for extra in {*data.glob("topics/*/*")} - whole_folders:
            shutil.rmtree(extra)
    assert min(ends[True], ends[False]) > 4, ends


def test_a_topic_whose_deletion_was_not_yet_recorded_is_whole(data: Path) -> None:
    (folder,) = (data / "topics").glob("topic-4.*")
    folder.rename(folder.with_name(folder.name + ".deleted"))
    assert served(data) == (TOPICS, COMMITTED)


def test_a_topic_whose_deletion_was_recorded_is_swept(data: Path) -> None:
    (data / "topics" / "gone.0123.deleted" / "0").mkdir(parents=True)
    assert served(data) == (TOPICS, COMMITTED)
    assert len(folders(data)) == len(TOPICS)
