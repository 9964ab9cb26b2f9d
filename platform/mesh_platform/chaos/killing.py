"""Killing: every actor through its lives, and the nodes in turn, all at once, until all kills are done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from mesh_platform.chaos.history import last_line
from mesh_platform.chaos.kills import Kill
from mesh_platform.chaos.lives import Life, Nodes
from mesh_platform.chaos.plan import NODE
from mesh_platform.chaos.world import numbers

Tell = Callable[[str], None]
_LOOK_SECONDS = 0.2
_TELL_SECONDS = 20.0


class Killing:
    """Ends lives as their schedules say. `ends` counts them, by role and moment."""

    def __init__(
        self, lives: Sequence[Life], nodes: Nodes, schedules: Mapping[str, Sequence[Kill]], tell: Tell
    ) -> None:
        self.ends: Counter[str] = Counter()
        self._lives, self._nodes, self._schedules, self._tell = lives, nodes, schedules, tell
        self._stop = threading.Event()
        self._failures: list[Exception] = []

    def run(self, events: int, seconds: float) -> None:
        """Return when all kills are done and so many events acknowledged, or when the time is over.

        Raises what an actor raised.
        """
        threads = [threading.Thread(target=self._guarded, args=(self._deaths, life)) for life in self._lives]
        threads.append(threading.Thread(target=self._guarded, args=(self._node_deaths,)))
        for thread in threads:
            thread.start()
        try:
            told = began = time.monotonic()
            while not self._stop.wait(_LOOK_SECONDS):
                done = not any(thread.is_alive() for thread in threads)
                if (done and self.acknowledged() >= events) or time.monotonic() - began > seconds:
                    break
                if time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    self._tell(f"{self.ends.total()} kills, {self.acknowledged():,} events acknowledged")
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def acknowledged(self) -> int:
        """Events that publishers call acknowledged, by what each of them said last."""
        found = 0
        for life in self._lives:
            line = last_line(life.history, "send") if life.role == "publisher" else None
            if line is not None:
                values = numbers(line["vs"])
                found += values[-1] + 1 if line["type"] == "ok" else values[0]
        return found

    def _guarded(self, work: Callable[..., None], *arguments: Life) -> None:
        try:
            work(*arguments)
        except Exception as error:
            self._failures.append(error)
            self._stop.set()

    def _deaths(self, life: Life) -> None:
        for kill in self._schedules.get(life.name, ()):
            if self._stop.is_set():
                break
            life.start(kill)
            self.ends[f"{life.role} {life.end(kill)}"] += 1
        life.start()

    def _node_deaths(self) -> None:
        for kill in self._schedules.get(NODE, ()):
            if self._stop.is_set():
                return
            self.ends[self._nodes.die(kill)] += 1
