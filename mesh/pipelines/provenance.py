"""Where a derived event comes from, in its headers: input topic, partition, offset, version of the contract.

`mesh.input` is `<topic>/<partition>/<offset>` where one event comes of one, else
`<topic>/<partition>/<first>-<last>` of each partition in the batch, parted by spaces. `mesh.input.version` is
the version of the input's contract that it was read in. docs/reference/headers.md has all headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

from mesh.interfaces import Message, Sender

Header = tuple[str, bytes | None]
Ranges = Mapping[int, tuple[int, int]]
INPUT: Final = "mesh.input"
VERSION: Final = "mesh.input.version"


def ranges(messages: Sequence[Message]) -> Ranges:
    """By partition, the first and the last offset of records that came in order."""
    # Each record is asked once: this is a tenth of what a pipeline does.
    partitions, offsets = [m.partition() for m in messages], [m.offset() for m in messages]
    last = dict(zip(partitions, offsets, strict=True))
    first = dict(zip(reversed(partitions), reversed(offsets), strict=True))
    return {partition: (first[partition], last[partition]) for partition in sorted(first)}


def of_batch(topic: str, found: Ranges, version: str) -> Iterator[list[Header]]:
    """The same headers for any number of events that come of a whole batch."""
    shown = " ".join(f"{topic}/{number}/{first}-{last}" for number, (first, last) in found.items())
    return repeat([(INPUT, shown.encode()), (VERSION, version.encode())])


def of_rows(messages: Sequence[Message], rows: Sequence[int], version: str) -> Iterator[list[Header]]:
    """The headers of each event, which comes of the one record named."""
    stem = messages[0].topic().encode() if messages else b""
    read: Header = VERSION, version.encode()
    for row in rows:
        message = messages[row]
        yield [(INPUT, b"%b/%d/%d" % (stem, message.partition(), message.offset())), read]


class Marked:
    """A sender that adds where events come from; `mark` names it for the events of the next call."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._marks: Iterator[list[Header]] = repeat([])

    def mark(self, headers: Iterator[list[Header]]) -> None:
        """The headers of the events to come, in their order."""
        self._marks = headers

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[Header]],
        times_ms: Sequence[int],
    ) -> None:
        """Send on, with the marks behind the headers of each event."""
        # The events' own headers first: an iterator that ends is not asked of the endless one behind it.
        marked = ([*own, *mark] for own, mark in zip(headers, self._marks, strict=False))
        self._sender.send(topic, keys, values, marked, times_ms)

    def flush(self) -> None:
        """As the sender behind it."""
        self._sender.flush()

    def close(self) -> None:
        """As the sender behind it."""
        self._sender.close()
