"""Reading once what is on a port: a part of it by time or number, the fields that are asked for, no group.

Each look reads again: from where the part begins to the end that stands there then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from mesh import display
from mesh.decoding import Batch, Decoder, to_polars
from mesh.errors import UsageError
from mesh.interfaces import Receiver
from mesh.port import OutputPort
from mesh.positions import Place, place_of

if TYPE_CHECKING:
    import pandas
    import polars

BATCH: Final = 10_000
_AGO: Final = re.compile(r"([0-9]{1,9})(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Reading:
    """What is on a port, without a group and without committing anything.

    `unreadable` counts the events of the last look that could not be read and so are not shown.
    """

    def __init__(self, port: OutputPort, decoder: Decoder, opened: Callable[[], Receiver]) -> None:
        self._port = port
        self._decoder = decoder
        self._opened = opened
        self.unreadable = 0

    def batches(self, *, most: int = BATCH) -> Iterator[Batch]:
        """Batches until the end that is there when the look begins."""
        self.unreadable = 0
        receiver = self._opened()
        try:
            while not receiver.at_end():
                messages = receiver.take(most, 1.0)
                if messages:
                    batch, poison = self._decoder.decode(messages)
                    self.unreadable += len(poison)
                    if len(batch):
                        yield batch
        finally:
            receiver.close()

    def to_arrow(self) -> pa.Table:
        """All events as one Arrow table."""
        return pa.Table.from_batches(
            [batch.events for batch in self.batches()], schema=self._port.codec.arrow_schema
        )

    def to_polars(self) -> polars.DataFrame:
        """All events as one Polars frame; raises UsageError (MESH-U042) where Polars is not installed."""
        return to_polars(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """All events as one pandas frame."""
        return self.to_arrow().to_pandas()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All events as dicts."""
        for batch in self.batches():
            yield from batch.rows()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows()

    def __repr__(self) -> str:
        return f"<reading of {self._port.topic}: {', '.join(self._port.codec.arrow_schema.names)}>"

    def _repr_html_(self) -> str:
        return display.html_table(self._head(), [f"the first events of {self._port.topic}"])

    def _head(self) -> pa.Table:
        found: list[pa.RecordBatch] = []
        batches = self.batches(most=display.SHOWN_ROWS)
        for batch in batches:
            found.append(batch.events)
            if sum(events.num_rows for events in found) >= display.SHOWN_ROWS:
                break
        batches.close()  # type: ignore[attr-defined]
        return pa.Table.from_batches(found, schema=self._port.codec.arrow_schema).slice(0, display.SHOWN_ROWS)


def place_named(value: object, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Place:
    """A place on a topic as people name it: `90m`, `2h` or a timedelta ago, else as `positions.place_of`."""
    if isinstance(value, timedelta):
        return now() - value
    ago = _AGO.fullmatch(value) if isinstance(value, str) else None
    if ago is None:
        return place_of(value)
    try:
        return now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    except OverflowError:
        return "earliest"


def time_named(value: object) -> datetime:
    """A time as people name it; raises UsageError (MESH-U181) for a place on a topic that is no time."""
    found = place_named(value)
    if isinstance(found, datetime):
        return found
    raise UsageError(
        f"{value!r} is no time",
        code="MESH-U181",
        why="a time is in ISO 8601, or how long ago: 90m, 2h, 7d",
        fix="as in since='2026-01-31T12:00:00+00:00', or since='90m'",
    )
