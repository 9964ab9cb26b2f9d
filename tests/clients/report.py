"""What the Python scripts share: the events they send, what they saw, and the line of JSON they end with."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Event = tuple[bytes, bytes, list[tuple[str, bytes]]]


def event(number: int) -> Event:
    """Key, value and headers of one event; long enough that compressing it is worth while."""
    key, text = b"key-%d" % (number % 10), b"event %d " % number
    return key, text * 20, [("number", b"%d" % number), ("of", key)]


def fresh(kind: str) -> str:
    """A name that nobody else uses."""
    return f"clients.{kind}-{uuid.uuid4().hex[:12]}"


def settled(look: Callable[[], Any], wanted: Any) -> Any:
    """What is seen once it is what was wanted, or after 10 s: Kafka's nodes hear of a change a bit later."""
    deadline = time.monotonic() + 10
    while (seen := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


@dataclass
class Report:
    """What a script saw. What it did not want to see ends it."""

    client: str
    version: str
    facts: dict[str, Any] = field(default_factory=dict)

    def saw(self, fact: str, seen: Any, wanted: Any) -> None:
        """Note a fact. Raises SystemExit where something else was wanted."""
        if seen != wanted:
            raise SystemExit(f"{self.client}, {fact}: saw {seen!r:.2000}, wanted {wanted!r:.2000}")
        self.facts[fact] = seen

    def tell(self) -> None:
        """The last line of the script."""
        print(json.dumps({"client": self.client, "version": self.version, **self.facts}), flush=True)
