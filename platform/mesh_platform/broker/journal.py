"""What the broker has to say to whoever runs it: one JSON object per line on stderr."""

from __future__ import annotations

import json
import sys
import time


def note(event: str, **facts: object) -> None:
    """Write one line; a reader that went away must not stop the broker."""
    line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}, default=str)
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return
