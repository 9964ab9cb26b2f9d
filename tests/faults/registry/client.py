"""A client that writes down what it asks and what it is told; one connection for each platform process."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mesh_platform.chaos.history import Outcome, Recorder
from tests.faults.registry.schemas import key

_PATIENCE_SECONDS = 20
_LATE = 50002


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a request: its outcome, status and JSON."""

    outcome: Outcome
    status: int = 0
    body: Any = None


class Stopped(Exception):
    """The campaign ends while nobody answers."""


class Client:
    """One actor; `ports` are those of the platform processes, which live and die."""

    def __init__(self, ports: list[int], token: str, recorder: Recorder, stop: threading.Event) -> None:
        self._ports, self._recorder, self.stop = ports, recorder, stop
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(f"faults:{token}".encode()).decode(),
            "Content-Type": "application/json",
            "Connection": "keep-alive",
        }
        self._open: dict[int, http.client.HTTPConnection] = {}

    @property
    def nodes(self) -> int:
        return len(self._ports)

    def register(self, subject: str, text: str, node: int = 0, rules: Any = None) -> Told:
        """A schema for a subject; repeated by the caller when nobody knows."""
        body = {"schema": text} | ({"ruleSet": rules} if rules else {})
        path = f"/registry/subjects/{quote(subject, safe='')}/versions"
        return self._do("register", "POST", path, body, node, subject=subject, v=key(text))

    def get(self, schema_id: int, node: int = 0) -> Told:
        return self._do("get", "GET", f"/registry/schemas/ids/{schema_id}", None, node, id=schema_id)

    def delete(self, subject: str, version: int, *, permanent: bool, node: int = 0) -> Told:
        path = f"/registry/subjects/{quote(subject, safe='')}/versions/{version}"
        path += "?permanent=true" if permanent else ""
        f = "remove" if permanent else "hide"
        return self._do(f, "DELETE", path, None, node, subject=subject, version=version)

    def send(self, f: str, path: str, body: Any, node: int = 0, **facts: Any) -> Told:
        """A POST to the platform's API that is written down as `f`."""
        return self._do(f, "POST", f"/api/v1{path}", body, node, **facts)

    def ask(self, method: str, path: str, body: Any = None, node: int = 0) -> Told:
        """A request of which nothing is written down; asked until somebody answers."""
        while True:
            told = self._request(method, path, body, node)
            if told.outcome != "info":
                return told
            self._pause()

    def sure(self, told: Told, again: Any) -> Told:
        """What came of a request in the end: asked `again` as long as nobody knows."""
        while told.outcome == "info":
            self._pause()
            told = again()
        return told

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()

    def _do(self, f: str, method: str, path: str, body: Any, node: int, **facts: Any) -> Told:
        self._recorder.note("invoke", f, node=node, **facts)
        told = self._request(method, path, body, node)
        self._recorder.note(told.outcome, f, node=node, **facts | _learned(f, told))
        return told

    def _request(self, method: str, path: str, body: Any, node: int) -> Told:
        connection = self._connected(node)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self._headers)
            answer = connection.getresponse()
            status, said = answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            self._open.pop(node).close()
            return Told("info")
        if status >= 500:
            return Told("info", status, said)
        return Told("ok" if status < 300 else "fail", status, said)

    def _connected(self, node: int) -> http.client.HTTPConnection:
        """A connection; waits while nobody listens: what is not sent needs no line."""
        while node not in self._open:
            connection = http.client.HTTPConnection("127.0.0.1", self._ports[node], timeout=_PATIENCE_SECONDS)
            try:
                connection.connect()
            except OSError:
                connection.close()
                self._pause()
            else:
                self._open[node] = connection
        return self._open[node]

    def _pause(self) -> None:
        if self.stop.is_set():
            raise Stopped
        time.sleep(0.02)


def _learned(f: str, told: Told) -> dict[str, Any]:
    body = told.body if isinstance(told.body, dict) else {}
    if told.outcome == "ok":
        if f == "get":
            return {"v": key(body["schema"])}
        return {"id": body["id"], "version": body["version"]} if f == "register" else {}
    code = body.get("error_code", told.status)
    return {"code": 0 if code == _LATE else int(code)}
