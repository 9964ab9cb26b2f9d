"""One HTTP client for the platform and registries: time budgets, a few retries, no surprises.

Redirects are not followed and credentials never leave the host they were given for.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

import httpx2

from mesh.errors import UnreachableError

_RETRIED = {408, 429, 502, 503, 504}
_TRIES = 4
ANSWER_BYTES = 32 * 1024 * 1024


class Http:
    """Requests to one base address with one token."""

    def __init__(self, base: str, token: str, *, name: str, timeout: float = 10.0) -> None:
        self.base = base.rstrip("/")
        self._name = name
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx2.Client(headers=headers, timeout=timeout, follow_redirects=False)

    def request(self, method: str, path: str, body: object | None = None) -> tuple[int, Any]:
        """Status and parsed answer; raises UnreachableError (MESH-X002) when nothing sensible comes back."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._client.request(method, self.base + path, content=content, headers=headers)
            except httpx2.TransportError as error:
                if attempt == _TRIES or isinstance(error, httpx2.ConnectError):
                    raise self._unreachable(str(error) or type(error).__name__) from error
            else:
                if answer.status_code not in _RETRIED or attempt == _TRIES:
                    return answer.status_code, self._parsed(answer)
            time.sleep(random.uniform(0.5, 1.0) * 0.1 * 2**attempt)
        raise self._unreachable("it did not answer in time")

    def _parsed(self, answer: Any) -> Any:
        if len(answer.content) > ANSWER_BYTES:
            raise self._unreachable(f"an answer of {len(answer.content):,} bytes is not one of its own")
        try:
            return json.loads(answer.content) if answer.content else None
        except ValueError as error:
            kind = answer.headers.get("content-type", "no content type")
            raise self._unreachable(f"it answered {answer.status_code} with {kind}, not JSON") from error

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"the {self._name} does not answer at {self.base}",
            code="MESH-X002",
            where=self.base,
            why=why,
            fix="mesh up   (or set MESH_PLATFORM_URL to a running platform)",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
