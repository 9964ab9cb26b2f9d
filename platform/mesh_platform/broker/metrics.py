"""Metrics in Prometheus' text format, read from node and server when somebody asks; events cost nothing.

Labels are bounded: requests by kind, groups and transactions by state, journal events by name, and of the
topics the largest fifty. Answering times include what a fetch waits for new events and a join for other
members.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate

from kio.index import load_request_schema
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mesh_platform.broker import journal, versions
from mesh_platform.broker.families import API_SECONDS, FAMILIES, PREFIX
from mesh_platform.broker.node import Node
from mesh_platform.broker.server import Server
from mesh_platform.broker.traffic import BOUNDS

TOPICS = 50
_SCRAPE_SECONDS = 5
Values = Mapping[str, Mapping[str, float] | float]


@contextlib.contextmanager
def serving(host: str, port: int, node: Node, server: Server) -> Iterator[int]:
    """Answer scrapes while the context is open; answers on which port. Raises OSError."""
    registry = CollectorRegistry()
    registry.register(_OfTheBroker(node, server, asyncio.get_running_loop()))
    ProcessCollector(registry=registry)
    listener, thread = start_http_server(port, host, registry)
    try:
        yield listener.server_port
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _OfTheBroker(Collector):
    """Asks the broker's own thread, which is the only one that may look."""

    def __init__(self, node: Node, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._node, self._server, self._loop = node, server, loop

    def describe(self) -> Iterator[Metric]:
        """Nothing in advance: registering must not wait for the loop that it runs in."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        asked = asyncio.run_coroutine_threadsafe(self._look(), self._loop)
        values, times = asked.result(_SCRAPE_SECONDS)
        yield from _families(values)
        yield _histogram(times)

    async def _look(self) -> tuple[Values, Mapping[str, tuple[list[int], float]]]:
        times = self._node.traffic.times
        copied = {_api_name(key): (list(t.counts), t.seconds) for key, t in times.items()}
        return _values(self._node, self._server), copied


def _values(node: Node, server: Server) -> Values:
    traffic = node.traffic
    sizes = {topic.name: sum(log.size for log in topic.logs) for topic in node.topics.values()}
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:TOPICS]
    values: dict[str, Mapping[str, float] | float] = {
        "connections": len(server.connections),
        "connections_accepted": traffic.accepted,
        "refused": dict(traffic.refused) | {"disk full": node.disk.refused},
        "received_bytes": traffic.received,
        "sent_bytes": traffic.sent,
        "unsent_bytes": traffic.unsent,
        "in_flight_bytes": server.room.taken,
        "produced_batches": node.disk.batches,
        "produced_bytes": node.disk.bytes,
        "topics": len(sizes),
        "partitions": sum(len(topic.logs) for topic in node.topics.values()),
        "log_bytes": sum(sizes.values()),
        "topic_log_bytes": {name: sizes[name] for name in largest},
        "groups": Counter(group.state.value for group in node.coordinator.groups.values()),
        "transactional_ids": Counter(held.state.value for held in node.ledger.transactions.values()),
        "recovery_dropped_bytes": sum(loss.bytes for _, _, loss in node.recovered),
        "journal_events": dict(journal.counts),
    }
    if node.disk.most is not None:
        values["log_limit_bytes"] = node.disk.most
    return values


def _families(values: Values) -> Iterator[Metric]:
    for name, value in values.items():
        kind, labels, about = FAMILIES[name]
        suffix = "_total" if kind == "counter" else ""
        family = Metric(PREFIX + name, about, kind)
        for label, number in value.items() if isinstance(value, Mapping) else [("", value)]:
            family.add_sample(PREFIX + name + suffix, {labels: label} if labels else {}, number)
        yield family


def _histogram(times: Mapping[str, tuple[list[int], float]]) -> Metric:
    family = HistogramMetricFamily(PREFIX + API_SECONDS, FAMILIES[API_SECONDS][2], labels=["api"])
    for api, (counts, seconds) in sorted(times.items()):
        bounds = [*map(str, BOUNDS), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
        family.add_metric([api], buckets, seconds)
    return family


def _api_name(key: int) -> str:
    return load_request_schema(key, versions.ADVERTISED[key][1]).__name__.removesuffix("Request")
