"""A PostgreSQL server for tests, by its own programs: a socket in a folder, no port, nothing kept."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from tests.conftest import require, unavailable


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a fresh server; skips at home and fails in CI where there is none."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    with TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        user = _user(Path(folder))
        data, socket = f"{folder}/data", folder
        _run(user, initdb, "-D", data, "-U", "mesh", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off"
        _run(user, control, "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://mesh@/postgres?host={quote(socket, safe='')}"
        finally:
            _run(user, control, "-D", data, "-m", "immediate", "stop")


def _program(name: str) -> str:
    """Debian keeps PostgreSQL's programs of each version in a folder that is on nobody's PATH."""
    return require(name, *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))))


def _user(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root; somebody else is found then, and given the folder."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            os.chown(folder, found.pw_uid, found.pw_gid)
            return name
    return unavailable("PostgreSQL does not run as root, and there is nobody else")


def _run(user: str | None, *argv: str) -> None:
    done = subprocess.run(
        argv, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if done.returncode:
        unavailable(f"PostgreSQL does not run here: {done.stderr.decode()[-300:]}")
