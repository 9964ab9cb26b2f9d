"""Checkpoints, verification, backup and snapshots of a control log that several processes share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh_platform.audit.backup import write_backup
from mesh_platform.audit.examination import examine
from mesh_platform.audit.restoring import restore_file, restore_into
from mesh_platform.audit.state import CHECKPOINT, CHECKPOINT_EVERY
from mesh_platform.audit.verification import verify
from mesh_platform.control import ControlPlane
from mesh_platform.log import SqliteLog
from mesh_platform.log.kafka_entries import KafkaEntries
from mesh_platform.log.snapshot import write_snapshot
from mesh_platform.snapshots import Snapshots, mark_of, restored, views_of
from tests.conformance.control_logs import KafkaLogs, kafka_logs

REGISTER = "registry.register"


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KafkaLogs]:
    yield from kafka_logs(request.getfixturevalue(f"{request.param}_broker"), tmp_path / "logs")


@pytest.fixture
def other(logs: KafkaLogs, tmp_path: Path) -> Iterator[KafkaLogs]:
    """Another topic of the same broker."""
    elsewhere = KafkaLogs(logs.bootstrap, tmp_path / "other")
    yield elsewhere
    elsewhere.close()


@pytest.fixture
def written(logs: KafkaLogs) -> KafkaEntries:
    """A topic in which two platforms took turns, and were stopped."""
    planes = [ControlPlane(logs.open()) for _ in range(2)]
    for n in range(CHECKPOINT_EVERY + 10):
        planes[n % 2].submit_now(REGISTER, {"subject": f"s{n % 7}", "schema": '"string"'}, "ann")
    for plane in planes:
        plane.close()
    return KafkaEntries(logs.bootstrap, logs.topic)


def test_two_platforms_vouch_for_the_records_of_both(written: KafkaEntries, tmp_path: Path) -> None:
    examined = examine(written, tmp_path / "none", [])
    assert examined.checkpoints >= 2
    *_, last = written.entries()
    assert last.kind == CHECKPOINT, "what came after the last checkpoint is vouched for at the end"


def test_a_topic_goes_into_a_file_and_back_into_a_topic(
    written: KafkaEntries, other: KafkaLogs, tmp_path: Path
) -> None:
    kept = write_backup(written, tmp_path / "b")
    restore_file(tmp_path / "b", tmp_path / "control.db", tmp_path / "snapshot", replace=False)
    file, topic = SqliteLog(tmp_path / "control.db"), other.open()
    restore_into(topic, tmp_path / "b", other.topic)
    assert file.chain == kept.chain == verify(KafkaEntries(other.bootstrap, other.topic).entries()).head
    assert views_of(file).fingerprint() == views_of(topic).fingerprint()
    with pytest.raises(MeshError) as caught:
        restore_into(topic, tmp_path / "b", other.topic)
    assert caught.value.error_code == "MESH-U151"
    file.close()


def test_a_platform_starts_from_its_snapshot_of_the_topic_and_from_no_other(
    written: KafkaEntries, logs: KafkaLogs, other: KafkaLogs, tmp_path: Path
) -> None:
    log, stranger = logs.open(), other.open()
    views = views_of(log)
    write_snapshot(tmp_path / "s", mark_of(views), views.snapshot())
    assert restored(log.read, tmp_path / "s").fingerprint() == views.fingerprint()
    assert examine(written, tmp_path / "s", []).snapshot == "agrees with a whole replay"
    stranger.append(time="t", actor="ann", kind="k", body={})
    assert Snapshots(tmp_path / "s").views(stranger).fingerprint() == views_of(stranger).fingerprint()


def test_a_topic_that_is_not_there_is_not_made(logs: KafkaLogs) -> None:
    for _ in range(2):
        with pytest.raises(MeshError) as caught:
            KafkaEntries(logs.bootstrap, logs.topic)
        assert caught.value.error_code == "MESH-U152"
