"""Workers that are kept alive, and what is told of them: by the test's own clock, with small processes."""

from __future__ import annotations

import json
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mesh.adapters.slots import slot
from mesh.cli.run_health import Board, served
from mesh.cli.run_workers import PAUSES, SOUND_SECONDS, Worker, stop, supervise
from mesh.errors import UsageError
from mesh.pipelines import Figures

REPORT = {"name": "p.host.0", **Figures(consumed=5, published=4, committed=2).report()}
TELLS = f"import sys; print({json.dumps(REPORT)!r}, flush=True); sys.stdin.read()"
ENDS = "raise SystemExit(3)"


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def worker(code: str, clock: Clock) -> Worker:
    return Worker("worker 1", [sys.executable, "-S", "-c", code], clock)


def ended(one: Worker) -> int:
    """Its exit code, once it has one."""
    assert one.process is not None
    one.process.wait(20)
    code = one.look()
    assert code is not None
    return code


def heard(one: Worker) -> None:
    """Wait until the worker has told something."""
    for _ in range(2_000):
        if one.shown()[1] is not None:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing was told")


def test_a_worker_that_ended_is_started_again_after_a_pause_that_grows() -> None:
    clock = Clock()
    one = worker(ENDS, clock)
    one.look()
    pauses: list[float] = []
    for _ in range(3):
        assert ended(one) == 3
        before = clock.now
        while one.process is None:
            clock.now += 0.25
            one.look()
        pauses.append(clock.now - before)
    one.wait(20)
    assert (pauses, one.restarts) == ([0.5, 1.0, 2.0], 3)


def test_the_pause_is_short_again_for_who_worked_well_for_long() -> None:
    clock = Clock()
    one = worker(ENDS, clock)
    for _ in range(8):
        clock.now += PAUSES[1]
        one.look()
        ended(one)
    clock.now += PAUSES[1]
    one.look()
    clock.now += SOUND_SECONDS + 1
    ended(one)
    clock.now += PAUSES[0]
    one.look()
    assert one.process is not None
    one.wait(20)


def test_what_a_worker_tells_is_shown_with_its_age_under_its_own_name() -> None:
    clock = Clock()
    one = worker(TELLS, clock)
    assert one.shown() == ("worker 1", None)
    one.look()
    heard(one)
    clock.now += 7
    name, report = one.shown()
    assert report is not None
    assert (name, report["published"], report["idle_seconds"]) == ("p.host.0", 4, REPORT["idle_seconds"] + 7)
    stop([one])
    assert one.published == 4


def test_a_stop_ends_the_input_of_all_workers_and_waits_for_them() -> None:
    workers = [worker(TELLS, Clock()) for _ in range(2)]
    for one in workers:
        one.look()
    stop(workers)
    assert [one.process.returncode for one in workers if one.process is not None] == [0, 0]


def test_workers_that_are_called_wrongly_are_not_started_for_ever() -> None:
    with pytest.raises(UsageError, match="MESH-U177"):
        supervise([worker("raise SystemExit(2)", Clock())], lambda: True)


def test_a_name_is_held_by_one_and_comes_again(tmp_path: Path) -> None:
    with slot(tmp_path, "a.b") as first, slot(tmp_path, "a.b") as second:
        assert (first.rpartition(".")[2], second.rpartition(".")[2]) == ("0", "1")
    with slot(tmp_path, "a.b") as again:
        assert again == first


def still(**facts: str) -> Figures:
    """Figures of a moment ago, however long the tests before take."""
    return Figures(clock=lambda: 0.0, **facts)


def board(*reports: Figures | None) -> Board:
    told = {f"w{number}": figures and figures.report() for number, figures in enumerate(reports)}
    return Board("a.b", lambda: told, lambda: 3)


@pytest.mark.parametrize(
    ("reports", "healthy"),
    [
        ((still(), still()), True),
        ((still(), None), False),
        ((still(), still(trouble="MESH-X001 no broker")), False),
        ((Figures(), Figures(clock=iter([0.0, 61.0, 61.0, 61.0]).__next__)), False),
        ((), False),
    ],
    ids=["at work", "ended", "in trouble", "without a step for a minute", "none"],
)
def test_all_is_well_while_every_worker_is_at_work(
    reports: tuple[Figures | None, ...], healthy: bool
) -> None:
    assert board(*reports).document()["healthy"] is healthy


def test_health_is_told_with_the_status_that_probes_look_at() -> None:
    with served(board(Figures()), 0) as address, urllib.request.urlopen(f"{address}/health") as answer:
        assert (answer.status, json.load(answer)["product"]) == (200, "a.b")
    with served(board(None), 0) as address, pytest.raises(urllib.error.HTTPError, match="503") as refusal:
        urllib.request.urlopen(f"{address}/health")
    with refusal.value as told:
        assert json.load(told)["workers"] == [{"name": "w0", "healthy": False}]


def test_figures_are_told_as_prometheus_reads_them() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    figures = Figures(
        consumed=5, published=4, dead_letters=1, committed=2, aborted=1, lag=7, partitions=2,
        last_error="MESH-K050 nothing", trouble="",
    )  # fmt: skip
    with served(board(figures), 0) as address, urllib.request.urlopen(f"{address}/metrics") as answer:
        text = answer.read().decode()
    found = {
        (sample.name, *(v for k, v in sample.labels.items() if k in ("outcome", "code"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found == {
        ("mesh_pipeline_consumed_total",): 5,
        ("mesh_pipeline_published_total",): 4,
        ("mesh_pipeline_dead_letters_total",): 1,
        ("mesh_pipeline_transactions_total", "committed"): 2,
        ("mesh_pipeline_transactions_total", "aborted"): 1,
        ("mesh_pipeline_lag",): 7,
        ("mesh_pipeline_partitions",): 2,
        ("mesh_pipeline_healthy",): 1,
        ("mesh_pipeline_last_error", "MESH-K050"): 1,
        ("mesh_pipeline_restarts_total",): 3,
    }


def test_a_lag_that_is_not_known_is_not_told_as_a_number() -> None:
    with served(board(Figures()), 0) as address, urllib.request.urlopen(f"{address}/metrics") as answer:
        text = answer.read().decode()
    assert "mesh_pipeline_partitions{" in text
    assert "mesh_pipeline_lag{" not in text


def test_health_is_told_to_this_machine_only_and_at_a_port_that_is_free() -> None:
    with served(board(), 0) as address:
        port = int(address.rpartition(":")[2])
        assert address == f"http://127.0.0.1:{port}"
        with pytest.raises(UsageError, match="MESH-U176"), served(board(), port):
            pass


def test_what_nobody_serves_is_not_found() -> None:
    with served(board(), 0) as address, pytest.raises(urllib.error.HTTPError, match="404") as refusal:
        urllib.request.urlopen(f"{address}/secrets")
    refusal.value.close()
