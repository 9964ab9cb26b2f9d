"""Where requests go and what opens the door there; what is shown to people holds no secret."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

from mesh.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """A base address without credentials, and the headers that carry them to it."""

    shown: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def parsed(cls, base: str, token: str) -> Address:
        """An address as people write it: `user:password@` in it, or a token beside it.

        Raises UsageError (MESH-U160) for what is no HTTP address.
        """
        try:
            parts = urlsplit(base)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in ("http", "https"):
            raise UsageError(
                "this is no address of a service",
                code="MESH-U160",
                where=base.rpartition("@")[2],
                why="it takes http:// or https://, a host, and perhaps a port and a path",
                fix="write it as http://127.0.0.1:8080/registry",
            )
        name = f"[{host}]" if ":" in host else host
        shown = f"{parts.scheme}://{name}" + (f":{port}" if port else "") + parts.path.rstrip("/")
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            return cls(shown, {"Authorization": "Basic " + base64.b64encode(pair).decode()})
        return cls(shown, {"Authorization": f"Bearer {token}"} if token else {})

    def url(self, path: str) -> str:
        """The address of a path below."""
        return self.shown + path

    def pool(self, backend: httpcore2.NetworkBackend) -> httpcore2.ConnectionPool:
        """Connections to it, by way of the proxy that the environment names for it, if any."""
        parts = urlsplit(self.shown)
        proxy = getproxies().get(parts.scheme)
        if proxy is None or proxy_bypass(parts.netloc):
            return httpcore2.ConnectionPool(network_backend=backend)
        named = urlsplit(proxy)
        user, password = unquote(named.username or ""), unquote(named.password or "")
        auth = (user.encode(), password.encode()) if user else None
        target = f"{named.scheme}://{named.hostname}:{named.port or 80}"
        return httpcore2.ConnectionPool(proxy=httpcore2.Proxy(target, auth=auth), network_backend=backend)
