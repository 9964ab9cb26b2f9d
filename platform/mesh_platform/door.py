"""The pages' door: sessions opened with a token."""

from __future__ import annotations

from starlette.requests import Request

from mesh_platform.auth import Keyring
from mesh_platform.web.session import session_id
from mesh_platform.web.views import Visitor


class TokenDoor:
    """Lets in whoever holds a session that a token opened."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def visitor(self, request: Request) -> Visitor | None:
        """The visitor of a request; None when they must sign in first."""
        session = session_id(request)
        found = self._keyring.visiting(session) if session else None
        if found is None:
            return None
        principal, csrf = found
        return Visitor(name=principal.name, csrf=csrf, rights=principal.rights)

    async def sign_in(self, token: str) -> str | None:
        """A new session's id for a token of somebody; None for any other."""
        return self._keyring.open_session(token)

    async def sign_out(self, session: str) -> None:
        """Close a session for good."""
        self._keyring.close_session(session)
