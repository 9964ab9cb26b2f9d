"""A pipeline under test, in lives that end by kill -9 at a named moment; what is loaded once serves them all.

Each line on standard input is a life, as JSON: `{"moment": …, "number": …}`. It dies at the `number`-th
moment of that kind, or ends well once nothing is left to read. The answer is one line: the exit code, which
is minus the number of the signal that ended it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mesh.adapters import kafka_transactions
from mesh.adapters.kafka_inputs import GroupInputs  # noqa: F401 - loaded before the lives, not in each
from mesh.config import load
from mesh.connection import Mesh
from mesh.pipelines import Derived, Figures, Pace, Pipeline

#: where a life may end: before and after each word to the broker, and while the last one is on its way
MOMENTS = ("begun", "sent", "positions", "committing", "on the way", "committed")
SOON = Pace(records=250, within_seconds=0.05, wait_seconds=0.2)


def halved(batch: pa.RecordBatch) -> Derived:
    """Every reading that is not a multiple of three, half as warm."""
    seconds = pc.divide(batch["at"].cast(pa.int64()), 1_000_000)
    rows = pc.indices_nonzero(pc.not_equal(pc.subtract(seconds, pc.multiply(pc.divide(seconds, 3), 3)), 0))
    kept = batch.take(rows)
    colder = pc.divide(kept["celsius"], 2.0)
    return Derived(pa.table({"sensor": kept["sensor"], "at": kept["at"], "celsius": colder}), rows)


class Mortal:
    """A producer that dies at a moment of its transactions."""

    def __init__(self, producer: Any, moment: str, number: int) -> None:
        self._producer = producer
        self._moment = moment
        self._left = number
        self._dice = random.Random(f"{moment} {number}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def __len__(self) -> int:
        return len(self._producer)

    def begin_transaction(self) -> None:
        self._producer.begin_transaction()
        self._at("begun")

    def send_offsets_to_transaction(self, *arguments: Any) -> None:
        self._at("sent")
        self._producer.send_offsets_to_transaction(*arguments)
        self._at("positions")

    def commit_transaction(self, *arguments: Any) -> None:
        self._at("committing")
        self._at("on the way", self._soon)
        self._producer.commit_transaction(*arguments)
        self._at("committed")

    def _at(self, moment: str, die: Callable[[], None] | None = None) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                (die or kill)()

    def _soon(self) -> None:
        threading.Timer(self._dice.uniform(0.0, 0.02), kill).start()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live(life: dict[str, Any], reads: str, makes: str) -> None:
    """Run the pipeline as a process of its own would."""
    first = kafka_transactions.TransactionalSender.__init__

    def mortal(self: Any, *arguments: Any) -> None:
        first(self, *arguments)
        self._producer = Mortal(self._producer, life["moment"], life["number"])

    kafka_transactions.TransactionalSender.__init__ = mortal  # type: ignore[method-assign]
    figures, end = Figures(), time.monotonic() + 60
    with Mesh(load()) as mesh:
        made = Pipeline(makes, {reads: halved})
        with mesh.derive(made, name=f"{makes}.0", pace=SOON, figures=figures) as run:
            run.run(lambda: not (figures.committed and figures.lag == 0) and time.monotonic() < end)


def main() -> None:
    reads, makes = sys.argv[1:]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(json.loads(line), reads, makes)
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
