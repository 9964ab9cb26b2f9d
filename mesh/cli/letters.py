"""Dead letters as the command line shows them: counted, one by one, and in full."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.errors import EventError
    from mesh.letters import Letter, Replayed
    from mesh.letters.target import Target

_SHOWN_BYTES = 256


@dataclass(slots=True)
class Heap:
    """The letters of one product, group and code; their reasons differ in details, so one is shown."""

    product: str
    group: str
    code: str
    reason: str
    first_ms: int
    last_ms: int = 0
    count: int = 0
    gone: int = 0

    def as_data(self) -> dict[str, Any]:
        """For tables and machines."""
        return {
            "product": self.product,
            "group": self.group,
            "code": self.code,
            "count": self.count,
            "open": self.count - self.gone,
            "first": _time(self.first_ms),
            "last": _time(self.last_ms),
            "reason": self.reason,
        }


def heaps(product: str, letters: Sequence[Letter], gone: Collection[int]) -> list[Heap]:
    """Letters counted by who set them aside and why."""
    found: dict[tuple[str, str], Heap] = {}
    for letter in letters:
        fresh = Heap(product, letter.group, letter.code, _line(letter.reason), letter.at_ms)
        heap = found.setdefault((letter.group, letter.code), fresh)
        heap.count += 1
        heap.gone += letter.number in gone
        heap.last_ms = letter.at_ms
    return list(found.values())


def row_of(product: str, letter: Letter, gone: bool) -> dict[str, Any]:
    """One letter in a line."""
    return {
        "product": product,
        "number": letter.number,
        "at": _time(letter.at_ms),
        "state": "replayed" if gone else "open",
        "group": letter.group,
        "code": letter.code,
        "reason": _line(letter.reason),
        "position": str(letter.event.at),
    }


def shown(
    product: str, letter: Letter, gone: bool, rows: Sequence[Mapping[str, Any]], error: EventError | None
) -> dict[str, Any]:
    """One letter in full."""
    value = letter.event.value()
    return {
        **row_of(product, letter, gone),
        "reason": letter.reason,
        "why": letter.why,
        "failures": letter.facts.get("mesh.dlq.failures"),
        "stacktrace": letter.facts.get("__streams.errors.stacktrace", ""),
        "key": _text_or_hex(letter.event.key()),
        "headers": {name: _text_or_hex(raw) for name, raw in letter.event.headers()},
        "event": dict(rows[0]) if rows else None,
        "unreadable": None if error is None else f"{error.error_code} {error.what}: {error.why}",
        "bytes": None if value is None else len(value),
        "hex": None if value is None else value.hex(" "),
    }


def shown_for_people(facts: Mapping[str, Any]) -> Iterator[str]:
    """The same in lines; bytes only where they could not be decoded."""
    for name in (
        "product",
        "number",
        "state",
        "at",
        "group",
        "position",
        "code",
        "reason",
        "why",
        "failures",
        "key",
    ):
        if facts[name] not in (None, ""):
            yield f"{name:<10}{clean(facts[name])}"
    yield "headers"
    yield from (f"  {clean(name)}: {text}" for name, text in facts["headers"].items())
    yield "event"
    if facts["event"] is not None:
        yield from (f"  {name}: {clean(value)}" for name, value in facts["event"].items())
    elif facts["hex"] is None:
        yield "  no value"
    else:
        yield f"  {clean(facts['unreadable'])}"
        pairs = facts["hex"].split(" ")
        for start in range(0, min(len(pairs), _SHOWN_BYTES), 16):
            yield f"  {start:04x}  {' '.join(pairs[start : start + 16])}"
        if len(pairs) > _SHOWN_BYTES:
            yield f"  … {len(pairs)} bytes in all; --json shows them"


def told(target: Target, done: Replayed) -> dict[str, Any]:
    """What a replay to one target did, for machines."""
    return {
        "topic": target.topic,
        "group": target.group or None,
        "sent": [letter.number for letter in done.sent],
        "before": [letter.number for letter in done.before],
        "refused": [
            {"number": letter.number, "code": error.error_code, "what": error.what, "why": error.why}
            for letter, error in done.refused
        ],
    }


def _time(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(text: str) -> str:
    """A reason that fits a table."""
    line = clean(text)
    return line if len(line) <= 60 else f"{line[:59]}…"


def clean(value: object) -> str:
    """Text of strangers for a terminal, which would obey their control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _text_or_hex(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.hex(" ")
    return text if text.isprintable() else raw.hex(" ")
