"""One worker of a pipeline, in this process: it goes on over everything that is not its own fault."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.cli.output import note
from mesh.errors import MeshError, UnreachableError

if TYPE_CHECKING:
    from mesh.connection import Mesh
    from mesh.pipelines import Figures, Pipeline

#: pauses before it begins again: the first, and the longest
PAUSES = (0.5, 30.0)
#: how long a stop may take; a broker that is gone must not hold the process
STOP_SECONDS = 15.0


def run_here(made: Pipeline, port: int, reports: bool, exit_with_parent: bool) -> None:
    """Run until stopped; raises what will not go away by itself."""
    from mesh.adapters.slots import slot
    from mesh.cli.run_health import Board, served
    from mesh.cli.stopping import until_stopped
    from mesh.config import find_state
    from mesh.connection import connect
    from mesh.figures import Figures, told

    # Batches are many small objects that live for a moment: to look through all that was loaded each time
    # finds nothing.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    figures = Figures()
    folder = find_state(Path.cwd(), os.environ) / "pipelines"
    with slot(folder, made.product) as name, connect() as mesh, until_stopped(exit_with_parent) as going_on:
        board = Board(made.product, lambda: {name: figures.report()})
        with told(figures, name) if reports else served(board, port), ended_in_time(going_on):
            keep_running(mesh, made, name, figures, going_on)
    note(f"{made.product}: {figures.published:,} events published")


def keep_running(
    mesh: Mesh, made: Pipeline, name: str, figures: Figures, going_on: Callable[[], bool]
) -> None:
    """Run, and begin again with new clients while a broker is away or another has taken over."""
    from mesh.adapters.kafka_transactions import SHUT_OUT

    pause, longest = PAUSES
    while going_on():
        began = time.monotonic()
        try:
            with mesh.derive(made, name=name, figures=figures) as run:
                run.run(going_on)
        except MeshError as error:
            figures.fail(f"{error.error_code} {error.what}: {error.why}")
            if not isinstance(error, UnreachableError) and error.error_code != SHUT_OUT:
                raise
            pause = PAUSES[0] if time.monotonic() > began + longest else min(pause * 2, longest)
            note(f"{figures.trouble}; begins again in {pause:.0f} s")
            end = time.monotonic() + pause
            while going_on() and time.monotonic() < end:
                figures.step()
                time.sleep(0.05)


@contextmanager
def ended_in_time(going_on: Callable[[], bool]) -> Iterator[None]:
    """End the process when a stop takes too long: what is open then comes to nothing and is read again."""
    over = threading.Event()

    def watch() -> None:
        while going_on():
            if over.wait(0.1):
                return
        if not over.wait(STOP_SECONDS):
            note("the pipeline did not stop in time; it goes on where it was committed")
            os._exit(1)

    threading.Thread(target=watch, name="stop in time", daemon=True).start()
    try:
        yield
    finally:
        over.set()
