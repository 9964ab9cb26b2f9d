"""Several platform processes on one Kafka log: the log decides, whoever is paused, killed or behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mesh_platform.brokers import RunningBroker
from mesh_platform.chaos.history import Recorder, read
from mesh_platform.chaos.kills import Kill
from tests.faults.registry.campaign import campaign
from tests.faults.registry.checks import verify
from tests.faults.registry.client import Client, Told
from tests.faults.registry.final import read_final
from tests.faults.registry.history import Line
from tests.faults.registry.nemesis import Log, Platform, platforms
from tests.faults.registry.races import race
from tests.faults.registry.schemas import grown, rival

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def three(kafka_broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Platform]]:
    """Three platform processes on one control topic; each test has subjects of its own."""
    with platforms(tmp_path_factory.mktemp("three"), 3, log=Log(kafka_broker.bootstrap)) as running:
        yield running


@contextmanager
def client_of(folder: Path, running: list[Platform], name: str = "client") -> Iterator[Client]:
    """A client that writes its history into the folder."""
    with Recorder(folder / f"{name}.history", name) as recorder:
        client = Client([each.port for each in running], running[0].token, recorder, threading.Event())
        yield client
        client.close()


def findings(folder: Path, running: list[Platform]) -> list[object]:
    lines = read(folder.glob("*.history"), Line)
    ids = {line.id for line in lines if line.type == "ok" and line.id}
    return [*verify(lines, read_final([each.port for each in running], running[0].token, ids, folder))]


@pytest.mark.parametrize("processes", [2, 3])
def test_of_64_rivals_at_several_processes_one_wins_and_64_twins_get_one_id(
    tmp_path: Path, three: list[Platform], processes: int
) -> None:
    races = race(tmp_path, three[:processes], rivals=4, twins=2, name=f"race{processes}")
    assert races.winners == [1] * 4
    assert races.refusals == {409: 252}
    assert races.ids == [1] * 2
    assert races.findings == []


def test_nothing_acknowledged_is_lost_by_kills_of_one_process_and_then_the_other(
    tmp_path: Path, kafka_broker: RunningBroker
) -> None:
    kills = [Kill(moment, 20, 20.0) for moment in ("sent", "appended")]
    report = campaign(tmp_path, seed=5, kills=kills, nodes=2, log=Log(kafka_broker.bootstrap))
    assert report.findings == []
    assert report.acknowledged > 40


def test_a_process_that_does_not_hear_the_others_is_found_out(
    tmp_path: Path, kafka_broker: RunningBroker
) -> None:
    with platforms(tmp_path, 2, log=Log(kafka_broker.bootstrap), broken=["deaf"]) as running:
        races = race(tmp_path, running, clients=8, rivals=2, twins=1)
    assert "id-reuse" in {finding.check for finding in races.findings}


def test_a_process_that_was_paused_decides_nothing_when_it_goes_on(
    tmp_path: Path, three: list[Platform]
) -> None:
    """The write that a paused process was asked for comes after what the others have taken meanwhile."""
    late: list[Told] = []
    running = three[:2]
    with client_of(tmp_path, running) as client:
        assert client.register("paused-value", rival(None, 0), 1).outcome == "ok"
        first = rival(None, 0)
        running[1].pause()
        waiting = threading.Thread(
            target=lambda: late.append(client.register("paused-value", rival(first, 1), 1))
        )
        waiting.start()
        with client_of(tmp_path, running, "other") as other:
            assert other.register("paused-value", rival(first, 2), 0).outcome == "ok"
        running[1].resume()
        waiting.join(30)
        assert [(told.outcome, told.status) for told in late] == [("fail", 409)]
        assert findings(tmp_path, running) == []


def test_karapace_938_rapid_election(tmp_path: Path, three: list[Platform]) -> None:
    """Processes that are paused and go on in quick turns, as leaders that change, give no id twice."""
    running = three[:2]
    with (
        client_of(tmp_path, running, "one") as one,
        client_of(tmp_path, running, "two") as two,
    ):
        stop = threading.Event()

        def write(client: Client, node: int) -> None:
            for number in range(500):
                if stop.is_set():
                    return
                client.register(f"election-{node}-{number}-value", grown(1, f"Election{node}x{number}"), node)
                client.register(f"election-{number}-value", grown(2, f"Election{number}"), node)

        threads = [threading.Thread(target=write, args=(c, node)) for node, c in enumerate((one, two))]
        for thread in threads:
            thread.start()
        for turn in range(8):
            running[turn % 2].pause()
            stop.wait(0.15)
            running[turn % 2].resume()
        stop.set()
        for thread in threads:
            thread.join(30)
        assert findings(tmp_path, running) == []


def test_confluent_893_id_reset(tmp_path: Path, three: list[Platform]) -> None:
    """Ids go on where they were, though every schema is gone for good and every process begins anew."""
    running = three[:2]
    with client_of(tmp_path, running) as client:
        for number in range(3):
            told = client.register(f"reset-{number}-value", grown(1, f"Reset{number}"), number % 2)
            for permanent in (False, True):
                assert client.delete(f"reset-{number}-value", 1, permanent=permanent).outcome == "ok"
        for each in three:
            each.kill()
            each.forget_snapshot()
            each.start()
        after = client.sure(Told("info"), lambda: client.register("reset-9-value", grown(1, "Reset9"), 1))
        assert after.body["id"] == told.body["id"] + 1
        assert findings(tmp_path, running) == []


def test_a_registration_is_answered_from_what_other_processes_have_told(
    tmp_path: Path, three: list[Platform]
) -> None:
    """What one process has just answered is known to the next one that is asked, be it a moment later."""
    running = three[:2]
    with client_of(tmp_path, running) as client:
        for number in range(20):
            subject, text = f"again-{number}-value", grown(1, f"Again{number}")
            for node in (0, 1):
                assert client.register(subject, text, node).body["version"] == 1
            assert client.delete(subject, 1, permanent=False, node=0).outcome == "ok"
            assert client.register(subject, text, 1).body["version"] == 2
        assert findings(tmp_path, running) == []
