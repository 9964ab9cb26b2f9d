"""The header `Idempotency-Key`: a client names its request, and may send it again until it has an answer.

The request travels with the key, shortened to a hash, so that a key which is used for another request is
refused instead of answered with what belongs to the first.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from mesh.errors import UsageError
from mesh_platform.commands import named

HEADER: Final = "idempotency-key"
_KEY: Final = re.compile(r"[A-Za-z0-9._~:-]{1,128}")
_DIGITS: Final = 32


def command_of(key: str | None, *request: bytes | str) -> str:
    """The name of the command that a request carries; empty when its client gave no key.

    Raises UsageError (MESH-S025) for a key that is none.
    """
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        raise UsageError(
            "this is no Idempotency-Key",
            code="MESH-S025",
            where=HEADER,
            why="a key has 1 to 128 characters of A-Z a-z 0-9 . _ ~ : -",
            fix="send a new UUID with each new request",
        )
    digest = hashlib.sha256()
    for part in request:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return named(key, digest.hexdigest()[:_DIGITS])
