"""A service on loopback that answers as it is told, bad answers too, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Fault = Callable[[socket.socket], None]


def answer(body: bytes, status: int = 200, kind: str = "application/json", *extra: str) -> bytes:
    """A whole HTTP answer."""
    head = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *extra]
    return "\r\n".join([*head, "", ""]).encode() + body


def says(*answers: bytes) -> list[Fault]:
    """One answer for each request, the last for all that follow."""
    return [lambda peer, text=text: peer.sendall(text) for text in answers]  # type: ignore[misc]


@dataclass
class FaultServer:
    """What it does with each request, in order; the last fault is for all that follow."""

    faults: list[Fault]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with peer:
            data = b""
            try:
                while chunk := peer.recv(65_536):
                    data += chunk
                    while b"\r\n\r\n" in data:
                        head, _, data = data.partition(b"\r\n\r\n")
                        data = self._body(peer, head, data)
                        fault = self.faults[min(len(self.asked), len(self.faults) - 1)]
                        self.asked.append(head.split(b"\r\n")[0].decode().rsplit(" ", 1)[0])
                        self.heads.append(head.decode())
                        fault(peer)
            except OSError:
                return

    def _body(self, peer: socket.socket, head: bytes, data: bytes) -> bytes:
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(data) < length:
            data += peer.recv(65_536)
        return data[length:]


@contextmanager
def fault_server(faults: list[Fault]) -> Iterator[FaultServer]:
    """A server on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = FaultServer(faults, f"http://127.0.0.1:{listener.getsockname()[1]}")
    threading.Thread(target=server._serve, args=(listener,), daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@dataclass
class Time:
    """A clock that goes on only when somebody waits, or a little with each look when told so."""

    now: float = 0.0
    tick: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
