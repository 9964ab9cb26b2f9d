"""What a peer is asked to do, and how it answers."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One peer, one thing to do with `count` events."""

    bootstrap: str
    registry: str
    user: str
    topic: str
    output: str
    schema: dict[str, Any]
    count: int


class Stopwatch:
    """Seconds from the first of `count` events to the last: joining a group is not counted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._seen = 0
        self.began = 0.0
        self.seconds = 0.0

    def lap(self) -> bool:
        """One event more; whether it was the last."""
        if not self._seen:
            self.began = time.perf_counter()
        self._seen += 1
        if self._seen == self._count:
            self.seconds = time.perf_counter() - self.began
        return self._seen >= self._count


def answer(**actions: Callable[[Asked], float]) -> None:
    """Do what the command line asks for; prints its seconds as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=actions)
    for name in ("bootstrap", "registry", "user", "topic", "output", "schema"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--count", type=int, required=True)
    found = vars(parser.parse_args())
    action = actions[found.pop("action")]
    asked = Asked(**found | {"schema": json.loads(Path(found["schema"]).read_text())})
    print(json.dumps({"seconds": action(asked)}))
