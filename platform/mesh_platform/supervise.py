"""Run a program that does not watch its stdin, and end it with whoever started it.

    python -m mesh_platform.supervise -- java -cp … kafka.Kafka server.properties

Behavior
- The program runs in a session and process group of this supervisor's own, so one signal reaches both.
- Our stdin is a pipe whose write end only our parent holds: at its end of file the parent is gone, however
  it went, and the whole group is killed at once.
- SIGTERM and SIGINT are forwarded; our exit code is the program's (128 + n when signal n ended it).
- Where Linux offers it, the program also dies when this supervisor is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence

_FORWARDED = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_NOT_FOUND = 127  # as a shell says it


def supervise(argv: Sequence[str], stdin: int = 0) -> int:
    """Run `argv` until it ends or `stdin` does; the exit code to leave with."""
    with contextlib.suppress(PermissionError):  # we already lead a group of our own
        os.setsid()
    signals, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (*_FORWARDED, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # the number arrives by the wake-up pipe
    try:
        # One thread only, and a child that sets a single flag: preexec_fn is safe here.
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=_die_with_supervisor)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND
    while (code := child.poll()) is None:
        readable, _, _ = select.select([stdin, signals], [], [])
        if signals in readable:
            for received in os.read(signals, 64):
                if received in _FORWARDED:
                    child.send_signal(received)
        if stdin in readable and not os.read(stdin, 4096):
            os.killpg(0, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _die_with_supervisor() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """The command line: everything after `--` is the program."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        print("usage: python -m mesh_platform.supervise -- PROGRAM [ARGUMENT]...", file=sys.stderr)
        raise SystemExit(2)
    raise SystemExit(supervise(arguments))


if __name__ == "__main__":
    main()
