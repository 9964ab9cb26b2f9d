"""Transactions over a broker that goes away: a deadline for each step, nothing lost when it is back."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from mesh.adapters import kafka_transactions
from mesh.adapters.kafka_transactions import TransactionalSender
from mesh.errors import UnreachableError
from mesh.pipelines import Figures, Pipeline
from mesh_platform.brokers import start_embedded
from tests.conformance.declared import applied, declaration, fresh_name, platform_on
from tests.conformance.test_pipelines import SOON, numbers, publish, warmed


class Stuck:
    """A producer whose word to the broker never comes back (librdkafka issue 5456)."""

    def __init__(self, producer: Any, released: threading.Event) -> None:
        self._producer = producer
        self._released = released

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self._released.wait()


def test_a_client_that_never_answers_is_given_up_by_a_deadline(
    embedded_broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_transactions, "GRACE_SECONDS", 0.1)
    released = threading.Event()
    sender = TransactionalSender(embedded_broker.bootstrap, f"tests.{fresh_name()}", 2.0)
    sender._producer = Stuck(sender._producer, released)
    sender.begin()
    sender.commit({("t", 0): 1}, b"")
    with pytest.raises(UnreachableError) as failure:
        sender.outcome()
    assert failure.value.error_code == "MESH-K052"
    sender.close()  # at once: it waits for nobody who is stuck
    released.set()


def test_a_broker_that_goes_away_in_the_middle_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with (
        start_embedded(tmp_path / "broker") as broker,
        platform_on(broker.bootstrap, tmp_path / "platform") as mesh,
    ):
        names = fresh_name(), fresh_name()
        for name in names:
            applied(mesh, declaration(name))
        reads, makes = (f"tests.{name}" for name in names)
        publish(mesh, reads, range(2_000))
        outages = iter(("while it derives", "again"))

        def interrupted(batch: Any) -> Any:
            if next(outages, None):
                broker.kill()
                threading.Timer(0.5, broker.restart).start()
            return warmed(batch)

        made = Pipeline(makes, {reads: interrupted})
        figures, turns = Figures(), iter(range(1_000))

        def going_on() -> bool:
            return figures.consumed < 2_000 and next(turns) < 999

        while going_on():
            with (
                contextlib.suppress(UnreachableError),
                mesh.derive(made, name=f"{makes}.0", pace=SOON, figures=figures) as run,
            ):
                run.run(going_on)
        assert numbers(mesh, makes) == list(range(2_000))
