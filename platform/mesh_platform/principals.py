"""Who a token belongs to: the platform's own, and those of the token file, read again whenever it changes."""

from __future__ import annotations

import hmac
import os

from mesh import limits
from mesh.errors import UsageError
from mesh_platform.rights import EVERY_RIGHT, Principal
from mesh_platform.tokens import LOCAL, TokenFile, digest_of

_Seen = tuple[int, int, int]


class Principals:
    """The platform's token with every right, and others with theirs."""

    def __init__(self, token: str, others: TokenFile | None = None) -> None:
        if not token:
            raise ValueError("a platform needs a token: without one it would let everybody in")
        self._own = digest_of(token)
        self._others = others
        self._seen: _Seen | None = None
        self._known: dict[str, Principal] = {}

    def of(self, token: str) -> Principal | None:
        """The principal of a token of sane size; None for any other."""
        return self.of_digest(digest_of(token)) if 0 < len(token) <= limits.TOKEN_BYTES else None

    def of_digest(self, digest: str) -> Principal | None:
        """As `of`, for what is kept of a token: who it belongs to now."""
        if hmac.compare_digest(digest, self._own):
            return Principal(LOCAL, EVERY_RIGHT)
        self._look()
        return self._known.get(digest)

    def _look(self) -> None:
        if self._others is None:
            return
        try:
            found = os.stat(self._others.path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            self._seen, self._known = None, {}
            return
        if seen != self._seen:
            try:
                self._known = {one.sha256: one.principal for one in self._others.issued() if one.rights}
            except UsageError:
                # A file that nobody can read opens nothing; whoever broke it is told by `mesh token list`.
                self._known = {}
            self._seen = seen
