"""What a running worker tells of itself: counts since it began, and how it is."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Final

REPORT_SECONDS: Final = 1.0


@dataclass(slots=True)
class Figures:
    """Written by the run alone, read by whoever asks. Events count once their transaction is committed."""

    consumed: int = 0
    published: int = 0
    dead_letters: int = 0
    committed: int = 0  #: transactions
    aborted: int = 0  #: transactions
    lag: int | None = None  #: records that are there and not read, on the partitions at hand; None: unknown
    partitions: int = 0
    last_error: str = ""
    trouble: str = ""  #: why it does not work at present
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    stepped: float = field(default=-1.0, repr=False)

    def __post_init__(self) -> None:
        self.step()

    def step(self) -> None:
        """It is alive: said with every turn of the run."""
        self.stepped = self.clock()

    def fail(self, why: str) -> None:
        """It stopped for a reason, and may begin again."""
        self.last_error = self.trouble = why

    def report(self) -> dict[str, Any]:
        """For machines; `idle_seconds` is how long it has not taken a step."""
        shown = {one.name: getattr(self, one.name) for one in fields(self)}
        del shown["clock"], shown["stepped"]
        return shown | {"idle_seconds": round(self.clock() - self.stepped, 3)}


@contextmanager
def told(figures: Figures, name: str) -> Iterator[None]:
    """Figures on stdout, one JSON line a second, for whoever supervises."""
    ended = threading.Event()

    def tell() -> None:
        last = False
        while not last:
            last = ended.wait(REPORT_SECONDS)
            sys.stdout.write(json.dumps({"name": name, **figures.report()}) + "\n")
            sys.stdout.flush()

    teller = threading.Thread(target=tell, name="figures", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join(REPORT_SECONDS)
