"""Run a program that does not watch its stdin, and end it with whoever started it.

    python -m mesh_platform.supervise --lock data/lock -- java -cp … kafka.Kafka server.properties

Behavior
- The program runs in a session and process group of this supervisor's own, so one signal reaches both.
- Our stdin is a pipe whose write end only our parent holds: at its end of file the parent is gone, however
  it went, and the whole group is killed at once.
- SIGTERM and SIGINT are forwarded; our exit code is the program's (128 + n when signal n ended it).
- Where Linux offers it, the program also dies when this supervisor is killed.
- With --lock, supervisor and program hold the lock of that file as long as either lives; when another holds
  it, nothing is started and the exit code is 75.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_FORWARDED = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_NOT_FOUND = 127  # as a shell says it
_IN_USE = 75  # sysexits.h: EX_TEMPFAIL
_LOCK_SECONDS = 5.0  # a program just killed may take a moment to let go


def supervise(argv: Sequence[str], lock: Path | None = None, stdin: int = 0) -> int:
    """Run `argv` until it ends or `stdin` does; the exit code to leave with."""
    held = () if lock is None else _hold(lock)
    if held is None:
        print(f"another process holds {lock}; {Path(argv[0]).name} is not started", file=sys.stderr)
        return _IN_USE
    with contextlib.suppress(PermissionError):  # we already lead a group of our own
        os.setsid()
    signals, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (*_FORWARDED, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # the number arrives by the wake-up pipe
    try:
        # One thread only, and a child that sets a single flag: preexec_fn is safe here.
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, preexec_fn=_die_with_supervisor, pass_fds=held
        )
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


def _hold(lock: Path) -> tuple[int] | None:
    """The locked file's descriptor, which closes with the last process that has it; None when taken."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        else:
            return (descriptor,)


def _die_with_supervisor() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """The command line: an optional lock, then `--`, then the program."""
    arguments = sys.argv[1:]
    lock = Path(arguments[1]) if arguments[:1] == ["--lock"] and len(arguments) > 1 else None
    arguments = arguments[2:] if lock else arguments
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        print(
            "usage: python -m mesh_platform.supervise [--lock FILE] -- PROGRAM [ARGUMENT]...", file=sys.stderr
        )
        raise SystemExit(2)
    raise SystemExit(supervise(arguments, lock))


if __name__ == "__main__":
    main()
