"""Health and metrics of a pipeline's workers over HTTP, for this machine only.

`/health` answers a JSON document, with 200 while every worker is at work and 503 otherwise; `/metrics`
answers in Prometheus' text format.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from mesh.cli.output import note
from mesh.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

LOOPBACK = "127.0.0.1"
#: a transaction may take thirty seconds, and its end ten more
IDLE_SECONDS = 60.0
#: whoever asks slower than this is not answered
REQUEST_SECONDS = 5.0
POLL_SECONDS = 0.05

Report = Mapping[str, Any]
_COUNTS = (
    ("consumed", "Input records behind the last committed transaction."),
    ("published", "Derived events in committed transactions."),
    ("dead_letters", "Dead letters in committed transactions."),
)


@dataclass(frozen=True, slots=True)
class Board:
    """What workers say of themselves, put together. `reports` are by worker; None is one that has ended."""

    product: str
    reports: Callable[[], Mapping[str, Report | None]]
    restarts: Callable[[], int] = lambda: 0

    def document(self) -> dict[str, Any]:
        """Health, for machines."""
        workers = [
            {"name": name, "healthy": _healthy(report), **(report or {})}
            for name, report in sorted(self.reports().items())
        ]
        return {
            "format_version": "1.0",
            "product": self.product,
            "healthy": bool(workers) and all(worker["healthy"] for worker in workers),
            "restarts": self.restarts(),
            "workers": workers,
        }

    def collect(self) -> Iterator[Metric]:
        """Figures, as prometheus_client asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        workers, names = self.document()["workers"], ("product", "worker")
        known = [worker for worker in workers if "consumed" in worker]
        for figure, text in _COUNTS:
            events = CounterMetricFamily(f"mesh_pipeline_{figure}", text, labels=names)
            for worker in known:
                events.add_metric((self.product, worker["name"]), worker[figure])
            yield events
        ended = CounterMetricFamily(
            "mesh_pipeline_transactions", "Transactions by how they ended.", labels=(*names, "outcome")
        )
        for worker in known:
            for outcome in ("committed", "aborted"):
                ended.add_metric((self.product, worker["name"], outcome), worker[outcome])
        yield ended
        for figure, text in (
            ("lag", "Input records that are there and not read, on the partitions at hand."),
            ("partitions", "Input partitions at hand."),
        ):
            gauge = GaugeMetricFamily(f"mesh_pipeline_{figure}", text, labels=names)
            for worker in known:
                if worker[figure] is not None:
                    gauge.add_metric((self.product, worker["name"]), worker[figure])
            yield gauge
        up = GaugeMetricFamily("mesh_pipeline_healthy", "1 while a worker is at work.", labels=names)
        error = GaugeMetricFamily(
            "mesh_pipeline_last_error", "The code of a worker's last error.", labels=(*names, "code")
        )
        for worker in workers:
            up.add_metric((self.product, worker["name"]), float(worker["healthy"]))
            if code := str(worker.get("last_error", "")).split(" ")[0].rstrip(":"):
                error.add_metric((self.product, worker["name"], code), 1.0)
        yield up
        yield error
        yield CounterMetricFamily("mesh_pipeline_restarts", "Workers started again.", self.restarts())


@contextmanager
def served(board: Board, port: int) -> Iterator[str]:
    """Serve a board on loopback while the context is open; its address. Raises UsageError (MESH-U176)."""
    try:
        server = _Server(board, port)
    except OSError as error:
        raise UsageError(
            f"health and metrics cannot be told at port {port}",
            code="MESH-U176",
            where=f"{LOOPBACK}:{port}",
            why=error.strerror or str(error),
            fix="choose another --port, or none: any free one is taken",
        ) from error
    address = f"http://{LOOPBACK}:{server.server_address[1]}"
    threading.Thread(
        target=server.serve_forever, args=(POLL_SECONDS,), name="health and metrics", daemon=True
    ).start()
    note(f"{board.product}: health and metrics at {address}/health and {address}/metrics")
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()


def _healthy(report: Report | None) -> bool:
    return report is not None and not report["trouble"] and report["idle_seconds"] < IDLE_SECONDS


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, board: Board, port: int) -> None:
        self.board = board
        super().__init__((LOOPBACK, port), _Answers)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up in the middle is no news."""


class _Answers(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        if self.path == "/health":
            found = self.server.board.document()
            self._answer(200 if found["healthy"] else 503, "application/json", json.dumps(found).encode())
        elif self.path == "/metrics":
            from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

            registry = CollectorRegistry()
            registry.register(self.server.board)
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
        else:
            self._answer(404, "text/plain", b"/health or /metrics\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Nothing: stderr is for what people need to know."""
