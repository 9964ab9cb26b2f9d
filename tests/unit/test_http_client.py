"""The HTTP client takes an answer within its budget or says that there is none; nothing else comes of it."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest

from mesh.adapters.http import ANSWER_BYTES, IDEMPOTENT, Budget, Hours, Http
from mesh.errors import UnreachableError, UsageError
from tests.unit.fault_server import Fault, Time, answer, fault_server, says

OK = answer(b'{"id": 1}')
BUSY = answer(b'{"error_code": 50003}', 503)


def endless(part: bytes) -> Fault:
    """A body that never ends, part by part."""

    def fault(peer: socket.socket) -> None:
        peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n"
        )
        while True:
            peer.sendall(part)

    return fault


def endless_head(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        peer.sendall(b"x")


def hang_up(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_RDWR)


def ask(faults: list[Fault], time: Time | None = None, **options: Any) -> tuple[int, Any, list[str], Time]:
    time = time or Time()
    method = options.pop("method", "GET")
    hours = Hours(time.clock, time.sleep, lambda: 1.0)
    with (
        fault_server(faults) as server,
        closing(Http(server.url, "secret", name="registry", hours=hours, **options)) as http,
    ):
        status, body = http.request(method, "/path", {} if method == "POST" else None)
        return status, body, server.asked, time


@pytest.mark.parametrize(
    "body",
    [
        answer(b"<html>maintenance</html>", 200, "text/html"),
        answer(b"<html>bad gateway</html>", 404, "text/html"),
        answer(b'{"schema": "\\"str'),
        answer(b"[" * 100_000),
        answer(b"\x1f\x8b", 200, "application/json", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
    ],
    ids=["html", "html 404", "cut off", "too deep", "packed", "half", "another protocol"],
)
def test_f17_what_is_no_answer_of_a_registry_is_an_outage(body: bytes) -> None:
    def once(peer: socket.socket) -> None:
        peer.sendall(body)
        peer.shutdown(socket.SHUT_RDWR)

    with pytest.raises(UnreachableError) as caught:
        ask([once])
    assert caught.value.error_code == "MESH-X002"


def test_f17_ten_megabytes_are_read_and_a_flood_is_not() -> None:
    text = b'"' + b"x" * 10_000_000 + b'"'
    assert len(ask(says(answer(text)))[1]) == 10_000_000
    with pytest.raises(UnreachableError, match=f"{ANSWER_BYTES:,}"):
        ask([endless(b" " * 65_536)])


@pytest.mark.parametrize("fault", [endless(b" "), endless_head], ids=["body", "headers"])
def test_f17_a_trickle_ends_with_the_budget(fault: Fault) -> None:
    time = Time(tick=0.25)
    with pytest.raises(UnreachableError):
        ask([fault], time, budget=Budget(seconds=10, tries=1))
    assert time.now <= 12


def test_f17_a_redirect_is_not_followed_and_the_token_stays() -> None:
    with fault_server(says(OK)) as thief:
        moved = answer(b"", 307, "text/plain", f"Location: {thief.url}/path")
        with pytest.raises(UnreachableError, match=thief.url):
            ask(says(moved))
        assert thief.heads == []


def test_a_request_is_repeated_with_growing_pauses_while_the_service_is_busy() -> None:
    status, body, asked, time = ask(says(BUSY, BUSY, BUSY, OK))
    assert (status, body, len(asked), time.slept) == (200, {"id": 1}, 4, [0.2, 0.4, 0.8])


def test_pauses_are_spread_by_chance() -> None:
    assert all(0.5 <= Hours().jitter() <= 1.0 for _ in range(100))
    assert len({Hours().jitter() for _ in range(10)}) > 1


def test_what_the_service_asks_to_wait_is_waited() -> None:
    busy = answer(b"{}", 429, "application/json", "Retry-After: 3")
    assert ask(says(busy, OK))[3].slept == [3.0]


def test_a_pause_that_the_budget_does_not_allow_is_not_begun() -> None:
    busy = answer(b"{}", 503, "application/json", "Retry-After: 3600")
    time = Time()
    with pytest.raises(UnreachableError, match="within 5 s"):
        ask(says(busy), time, budget=Budget(seconds=5))
    assert time.slept == []


def test_the_last_answer_of_a_busy_service_is_told() -> None:
    assert ask(says(BUSY), budget=Budget(tries=2))[:2] == (503, {"error_code": 50003})


def test_a_request_that_may_have_been_done_is_sent_again_only_when_that_does_no_harm() -> None:
    assert ask([hang_up, *says(OK)])[0] == 200
    assert ask([hang_up, *says(OK)], method="POST", repeatable=IDEMPOTENT | {"POST"})[0] == 200
    with pytest.raises(UnreachableError):
        ask([hang_up, *says(OK)], method="POST")


def test_a_refused_connection_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    time = Time()
    http = Http(f"http://127.0.0.1:{port}", "", name="registry", hours=Hours(time.clock, time.sleep))
    with closing(http), pytest.raises(UnreachableError):
        http.request("GET", "/")
    assert time.slept == []


def test_credentials_in_an_address_open_it_and_are_shown_to_nobody() -> None:
    with fault_server(says(answer(b"<html>"))) as server:
        http = Http(server.url.replace("//", "//ada:p%40ss@"), "unused", name="registry")
        with closing(http), pytest.raises(UnreachableError) as caught:
            http.request("GET", "/")
    assert "Authorization: Basic YWRhOnBAc3M=" in server.heads[0]
    assert "p%40ss" not in str(caught.value)
    assert "p@ss" not in str(caught.value)


def test_the_proxy_of_the_environment_is_gone_by_and_spared_where_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with fault_server(says(OK)) as proxy, fault_server(says(OK)) as near:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//ada:secret@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for base in ("http://registry.example.org", near.url):
            with closing(Http(base, "", name="registry")) as http:
                assert http.request("GET", "/path") == (200, {"id": 1})
        assert proxy.asked == ["GET http://registry.example.org/path"]
        assert "Proxy-Authorization: Basic YWRhOnNlY3JldA==" in proxy.heads[0]
        assert near.asked == ["GET /path"]


@pytest.mark.parametrize("address", ["", "registry:8081", "ftp://a:secret@b", "http://", "http://h:99999999"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        Http(address, "", name="registry")
    assert caught.value.error_code == "MESH-U160"
    assert "secret" not in str(caught.value)
