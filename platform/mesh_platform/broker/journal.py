"""What the broker has to say to whoever runs it: one JSON object per line on stderr, for people on a terminal
plain lines.

Every event has a level and a meaning, all in one table; docs/reference/broker.md is made from it. What may
come in masses is told a few times a second at most; the next line says how many were left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Literal

Level = Literal["info", "warning", "error"]

#: event: (level, what it means)
EVENTS: Mapping[str, tuple[Level, str]] = {
    "bad frame": ("warning", "a client sent what is no request; its connection was closed"),
    "checkpoint failed": ("warning", "the next start reads this log instead of trusting its checkpoint"),
    "commit failed": ("error", "a group's offsets could not be saved; the client asks again"),
    "damaged": ("error", "what lies on the disk is not what was written; it is not served"),
    "disk full": ("error", "the events reached --max-disk; writes are refused until there is room"),
    "disk has room": ("info", "writes are taken again"),
    "dropped": ("error", "the tail of a log was torn or damaged when the broker started"),
    "failed": ("error", "a request failed by a fault of the broker; its connection was closed"),
    "fsync failed": ("error", "this log takes no more writes until the broker was started again"),
    "group forgotten": ("info", "it had no member and no commit for seven days; its offsets went with it"),
    "group not saved": ("error", "members go on; after a restart they would join anew"),
    "groups not forgotten": ("error", "groups that nobody uses stay; tried again in the next round"),
    "hung up": ("warning", "a client stopped in the middle of a request, or did not read its answer"),
    "loop failed": ("error", "something went wrong outside of any request"),
    "open to everyone": ("warning", "it serves beyond this machine, without authentication"),
    "read failed": ("error", "the operating system could not read a log"),
    "refused": ("warning", "a connection was closed because too many are open"),
    "run file not written": ("warning", "`mesh broker status` may tell what was, until the next try"),
    "stopping": ("info", "told to stop; running requests may end"),
    "stopped at once": ("warning", "told to stop a second time; nothing acknowledged is lost"),
    "producer refused": ("error", "a producer id could not be saved; the client asks again"),
    "transaction failed": ("error", "a transaction could not be saved or ended; the client asks again"),
    "transactions not kept": ("error", "overdue transactions stay open; tried again in the next round"),
    "transactions not settled": ("error", "what the last process decided is finished by the next rounds"),
    "upkeep failed": ("error", "retention, compaction or a checkpoint failed; tried again in the next round"),
    "write failed": ("error", "the operating system took no write; the client was told"),
}
#: what the broker says once, or once per log; everything else clients may cause as often as they like
_SELDOM = frozenset({"disk full", "disk has room", "dropped", "fsync failed", "open to everyone", "stopping"})
_PER_SECOND = 10

#: how often each event happened in this process, told or not
counts: Counter[str] = Counter()
_told: dict[str, tuple[int, int]] = {}  # event: (the second, lines in it)
_left_out: Counter[str] = Counter()


def note(event: str, **facts: object) -> None:
    """Write one line; a reader that went away must not stop the broker."""
    counts[event] += 1
    now = time.time()
    if event not in _SELDOM and not _may_tell(event, int(now)):
        _left_out[event] += 1
        return
    if left_out := _left_out.pop(event, 0):
        facts["left_out"] = left_out
    level, _ = EVENTS.get(event, ("warning", ""))
    try:
        print(_line(now, level, event, facts), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def _may_tell(event: str, second: int) -> bool:
    last, lines = _told.get(event, (0, 0))
    _told[event] = (second, lines + 1 if last == second else 1)
    return _told[event][1] <= _PER_SECOND


def _line(now: float, level: Level, event: str, facts: Mapping[str, object]) -> str:
    if not sys.stderr.isatty():
        return json.dumps({"time": round(now, 3), "level": level, "event": event, **facts}, default=str)
    clock = time.strftime("%H:%M:%S", time.localtime(now))
    return "  ".join([clock, f"{level:7}", event, *(f"{name}={fact}" for name, fact in facts.items())])
