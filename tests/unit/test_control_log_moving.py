"""A platform that is told to keep its control log elsewhere does not begin anew by mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.errors import MeshError, UsageError
from mesh_platform.log import SqliteLog
from mesh_platform.log.choice import control_topic, log_kind
from mesh_platform.log.kafka_memory import TopicMemory
from mesh_platform.log.kafka_topic import Glance
from mesh_platform.log.moving import log_in_use

TOPIC = "__control"


def remember(state: Path, end: int, topic_id: str = "id-1") -> None:
    TopicMemory(state, TOPIC).keep(Glance(topic_id, 1, 0, end))


def test_an_empty_file_beside_a_topic_that_was_read_is_refused(tmp_path: Path) -> None:
    remember(tmp_path, end=3)
    with pytest.raises(MeshError) as caught:
        log_in_use("sqlite", tmp_path, "")
    assert caught.value.error_code == "MESH-S028"
    assert "mesh backup FILE --control-log kafka; mesh restore FILE --control-log sqlite" in caught.value.fix


def test_a_file_that_was_restored_is_taken(tmp_path: Path) -> None:
    remember(tmp_path, end=3)
    filled = SqliteLog(tmp_path / "control.db")
    filled.append(time="t", actor="a", kind="k", body={})
    filled.close()
    log_in_use("sqlite", tmp_path, "").close()


def test_a_topic_that_never_held_anything_is_nothing_to_lose(tmp_path: Path) -> None:
    remember(tmp_path, end=0)
    log_in_use("sqlite", tmp_path, "").close()


def test_what_was_refused_is_let_go_of(tmp_path: Path) -> None:
    remember(tmp_path, end=3)
    for _ in range(2):
        with pytest.raises(MeshError, match="MESH-S028"):
            log_in_use("sqlite", tmp_path, "")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (Glance("id-2", 1, 0, 9), "deleted and made anew"),
        (Glance("id-1", 1, 0, 2), "it ends at 2"),
    ],
)
def test_a_topic_that_is_not_the_one_read_before_is_refused(tmp_path: Path, now: Glance, why: str) -> None:
    remember(tmp_path, end=3)
    with pytest.raises(MeshError, match=why) as caught:
        TopicMemory(tmp_path, TOPIC).check(now)
    assert caught.value.error_code == "MESH-S026"


def test_a_topic_that_only_grew_is_taken(tmp_path: Path) -> None:
    remember(tmp_path, end=3)
    TopicMemory(tmp_path, TOPIC).check(Glance("id-1", 1, 0, 9))


def test_another_topic_by_name_is_somebodys_decision(tmp_path: Path) -> None:
    remember(tmp_path, end=3)
    TopicMemory(tmp_path, "__another").check(Glance("id-2", 1, 0, 0))


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"topic": TOPIC})])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "control-topic.json").write_text(text)
    TopicMemory(tmp_path, TOPIC).check(Glance("id-2", 1, 0, 0))


def test_the_topic_has_a_name_that_is_nobodys_data() -> None:
    assert control_topic({}) == "__mesh_control"
    assert control_topic({"MESH_CONTROL_TOPIC": "__other"}) == "__other"


def test_another_kind_of_log_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        log_kind("redis")
    assert caught.value.error_code == "MESH-U065"
