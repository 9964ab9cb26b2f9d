"""Who waits: the retry topic of one group as a view in memory, changed by writing to it.

Every member of a group follows the whole topic and acts for its own partitions only. So a partition that
moves finds at its new member who waits, in which order, and how often it failed.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator

from mesh.handling.waiting import WRITER, Header, Origin, Waiting, origin_of, waiting_of
from mesh.interfaces import BrokerAdmin, Message, Sender, Tail
from mesh.limits import LETTER_BYTES
from mesh.naming import retry_topic

#: The last word on an event stays until it is done, however long that takes: `compact` alone expires none.
SETTINGS = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(LETTER_BYTES),
    "min.cleanable.dirty.ratio": "0.1",
    "segment.bytes": str(2 * LETTER_BYTES),
}


def make_topic(broker: BrokerAdmin, group: str, source: str) -> str:
    """The retry topic of a group on a topic, there from now on; one partition, as few events as fail."""
    topic = retry_topic(group, source)
    broker.create_topic(topic, 1, SETTINGS)
    return topic


class Journal:
    """The waiting events of one group on one topic. What is written is there after `flush`."""

    def __init__(self, topic: str, source: str, tail: Tail, sender: Sender, writer: bytes) -> None:
        self._topic = topic
        self._source = source
        self._tail = tail
        self._sender = sender
        self._writer = writer
        self._waiting: dict[Origin, Waiting] = {}
        self._chains: dict[tuple[int, bytes | int], set[Origin]] = {}

    def follow(self) -> None:
        """Take in what others wrote, as far as it has come."""
        self._learn(self._tail.news())

    def catch_up(self) -> None:
        """Take in all that others wrote until now: asked for whenever partitions have moved."""
        self._learn(self._tail.caught_up())

    def count(self, partitions: Collection[int]) -> int:
        """How many events of these partitions wait."""
        return sum(origin.partition in partitions for origin in self._waiting)

    def holds_up(self, chain: tuple[int, bytes | int]) -> bool:
        """Whether an event of this chain waits, so that later ones wait behind it."""
        return chain in self._chains

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return not self._waiting

    def next_due(self, partitions: Collection[int]) -> float | None:
        """When the next turn of these partitions is; None when nobody waits."""
        return min((self._waiting[first].due for first in self._firsts(partitions)), default=None)

    def due(self, now: float, partitions: Collection[int], most: int) -> list[Waiting]:
        """Whose turn it is: of each chain the first, and those right behind it, in order."""
        found: list[Waiting] = []
        for first in self._firsts(partitions):
            if self._waiting[first].due > now:
                continue
            behind = (self._waiting[origin] for origin in sorted(self._chains[self._waiting[first].chain]))
            found += itertools.takewhile(lambda waiting: waiting.due <= now, behind)
            if len(found) >= most:
                break
        return found[:most]

    def holds(self, waiting: Waiting) -> bool:
        """Whether this event waits already; one that comes again from its topic is no other."""
        return waiting.origin in self._waiting

    def put(self, events: Iterable[Waiting]) -> None:
        """Let these wait; one that waited already waits as it is told now."""
        written = list(events)
        for waiting in written:
            self._remember(waiting)
        self._write([w.origin for w in written], [w.message.value() for w in written], written)

    def done(self, origins: Iterable[Origin]) -> None:
        """These wait no more."""
        gone = [origin for origin in origins if origin in self._waiting]
        for origin in gone:
            self._forget(origin)
        self._write(gone, [None] * len(gone), ())

    def flush(self) -> None:
        """Wait until all that was written is acknowledged."""
        self._sender.flush()

    def close(self) -> None:
        """Let go of the connections."""
        self._tail.close()
        self._sender.close()

    def _write(self, origins: list[Origin], values: list[bytes | None], events: Iterable[Waiting]) -> None:
        if not origins:
            return
        mark: list[Header] = [(WRITER, self._writer)]
        headers = [[*mark, *waiting.headers()] for waiting in events] or [mark] * len(origins)
        keys = [origin.key() for origin in origins]
        self._sender.send(self._topic, keys, values, headers, [0] * len(origins))

    def _learn(self, messages: Iterable[Message]) -> None:
        for message in messages:
            origin, headers = origin_of(message.key()), message.headers() or []
            if origin is None or headers[:1] == [(WRITER, self._writer)]:
                continue  # its own words a member has in memory already
            waiting = None if message.value() is None else waiting_of(message, self._source)
            if waiting is not None:
                self._remember(waiting)
            elif message.value() is None:
                self._forget(origin)

    def _remember(self, waiting: Waiting) -> None:
        self._waiting[waiting.origin] = waiting
        self._chains.setdefault(waiting.chain, set()).add(waiting.origin)

    def _forget(self, origin: Origin) -> None:
        waiting = self._waiting.pop(origin, None)
        if waiting is None:
            return
        rest = self._chains[waiting.chain] - {origin}
        if rest:
            self._chains[waiting.chain] = rest
        else:
            del self._chains[waiting.chain]

    def _firsts(self, partitions: Collection[int]) -> Iterator[Origin]:
        return (min(origins) for chain, origins in self._chains.items() if chain[0] in partitions)
