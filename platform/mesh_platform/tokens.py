"""Tokens of principals, on disk as hashes: made, listed and revoked by `mesh token`, read by the platform.

A token is 32 random bytes, so its SHA-256 tells nobody anything; it is shown once, when it is made. The
file is replaced whole: whoever reads it sees it before a change or after it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mesh import limits
from mesh.errors import UsageError
from mesh.schema.strict_json import JsonProblem, read_json
from mesh_platform.rights import Principal, Right, held

TOKENS_FILE: Final = "tokens.json"
#: The principal of the platform's own token, which `mesh up` makes.
LOCAL: Final = "local"
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{0,62}")
_BYTES: Final = 32
_DEPTH: Final = 4
_FORMAT: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it is kept: whose it is, what it opens, and the hash that tells it from others."""

    name: str
    rights: tuple[Right, ...]  #: as they were given
    sha256: str
    created: str

    @property
    def principal(self) -> Principal:
        """Whoever shows this token."""
        return Principal(self.name, held(self.rights))


class TokenFile:
    """The tokens of one platform, or of several that share the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def issued(self) -> tuple[Issued, ...]:
        """Every token, by name; none without a file. Raises UsageError (MESH-U155) for a broken one."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise self._broken(str(error)) from error
        try:
            document = read_json(text, max_bytes=limits.BODY_BYTES, max_depth=_DEPTH)
            rows = document["tokens"] if isinstance(document, dict) else None
            if not isinstance(rows, list):
                raise TypeError("tokens is not a list")
            return tuple(sorted(map(_issued, rows), key=lambda one: one.name))
        except (JsonProblem, KeyError, TypeError, ValueError) as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error

    def add(self, name: str, rights: Iterable[Right], now: datetime) -> str:
        """A new principal's token. Raises UsageError: MESH-U156 for no name, MESH-U157 when taken."""
        if not _NAME.fullmatch(name) or name == LOCAL:
            raise UsageError(
                f"a principal cannot be called {name[:80]!r}",
                code="MESH-U156",
                where="NAME",
                why="a name is 1 to 63 lower-case letters, digits, dots and hyphens, a letter first; "
                f"{LOCAL} is the platform's own",
                fix="mesh token add orders-team --right register",
            )
        with self._turn():
            known = self.issued()
            if any(one.name == name for one in known):
                raise UsageError(
                    f"{name} has a token already",
                    code="MESH-U157",
                    where=str(self.path),
                    why="a token is shown once and kept as a hash: it cannot be shown again",
                    fix=f"mesh token revoke {name}, then add it again",
                )
            token = secrets.token_urlsafe(_BYTES)
            made = Issued(
                name, tuple(sorted(set(rights))), digest_of(token), now.isoformat(timespec="seconds")
            )
            self._write((*known, made))
            return token

    def revoke(self, name: str) -> None:
        """Its token opens nothing from now on. Raises UsageError (MESH-U158) for a name without one."""
        with self._turn():
            known = self.issued()
            left = tuple(one for one in known if one.name != name)
            if len(left) == len(known):
                raise UsageError(
                    f"{name[:80]} has no token",
                    code="MESH-U158",
                    where=str(self.path),
                    why=f"tokens are held by: {', '.join(one.name for one in known) or 'nobody'}",
                    fix="mesh token list",
                )
            self._write(left)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, issued: Iterable[Issued]) -> None:
        rows = [
            {"name": one.name, "rights": list(one.rights), "sha256": one.sha256, "created": one.created}
            for one in issued
        ]
        beside = self.path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(json.dumps({"format_version": _FORMAT, "tokens": rows}, indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.path)

    def _broken(self, why: str) -> UsageError:
        return UsageError(
            "the file of tokens cannot be read",
            code="MESH-U155",
            where=str(self.path),
            why=why,
            fix="put it right, or remove it and issue the tokens again: mesh token add",
        )


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _issued(row: Any) -> Issued:
    name, digest, created = (str(row[key]) for key in ("name", "sha256", "created"))
    if not _NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{name[:80]!r} is no name, or its sha256 is none")
    return Issued(name, tuple(Right(right) for right in row["rights"]), digest, created)
