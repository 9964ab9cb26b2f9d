"""Actors: the processes that work and die; what each is told, and what it needs to tell.

    python -m mesh_platform.chaos.actor publisher --name p0 --run 1a2b3c --history FILE --die sent:3

An actor works until it reads a byte, then finishes what it began. `--die MOMENT:N` ends it by SIGKILL at
the N-th moment of that kind.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from mesh_platform.chaos.countdown import Countdown
from mesh_platform.chaos.history import Recorder

ROLES = ("publisher", "consumer", "pipeline")


@dataclass(frozen=True, slots=True)
class Actor:
    """One life of one process under test."""

    name: str
    run: str
    history: Path
    recorder: Recorder
    countdown: Countdown
    dice: random.Random
    rate: float
    broken: str
    ended: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Say that work begins: the clock of this life runs from now on."""
        self.recorder.note("ok", "begin")
        print("begun", flush=True)


def main() -> None:
    """Be one actor until it is told to finish, or until the moment comes."""
    parser = argparse.ArgumentParser(prog="mesh_platform.chaos.actor")
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--name", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--die", default="never:1")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--broken", default="")
    options = parser.parse_args()
    moment, _, number = options.die.partition(":")
    with Recorder(options.history, options.name) as recorder:
        actor = Actor(
            options.name,
            options.run,
            options.history,
            recorder,
            Countdown(moment, int(number)),
            random.Random(),
            options.rate,
            options.broken,
        )
        threading.Thread(target=_obey, args=(actor.ended,), daemon=True).start()
        _work(options.role, actor)


def _obey(ended: threading.Event) -> None:
    """A byte on standard input: finish in peace. Its end: whoever started us is gone, and nobody listens."""
    if os.read(sys.stdin.fileno(), 1):
        ended.set()
        os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _work(role: str, actor: Actor) -> None:
    if role == "publisher":
        from mesh_platform.chaos.publisher import publish

        publish(actor)
    elif role == "consumer":
        from mesh_platform.chaos.consumer import consume

        consume(actor)
    else:
        from mesh_platform.chaos.pipeline import derive

        derive(actor)


if __name__ == "__main__":
    main()
