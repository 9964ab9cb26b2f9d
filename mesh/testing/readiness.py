"""Waiting for the first line of a child process: what it prints when it serves."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable

_READY_SECONDS = 30.0


def first_line(child: subprocess.Popen[bytes], failure: Callable[[str], Exception]) -> bytes:
    """The first line on the child's standard output; raises the failure when it ends or takes too long."""
    assert child.stdout is not None
    line, deadline = b"", time.monotonic() + _READY_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(deadline - time.monotonic()):
                raise failure(f"not ready within {_READY_SECONDS:g} s")
            if not (more := os.read(child.stdout.fileno(), 65_536)):
                raise failure(f"it ended with exit code {child.wait()}")
            line += more
    return line
