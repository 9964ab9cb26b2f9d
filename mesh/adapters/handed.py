"""Events handed to librdkafka in one call, so that each that fails can be named whole afterwards.

A delivery report of a failure has key and value, but neither headers nor time. Keeping those beside each
event would cost a third of the throughput (the garbage collector follows them), so they are looked up by
the value when it comes to that. Only where one call holds the same value twice does each event carry its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from types import MethodType
from typing import TYPE_CHECKING

from mesh.errors import Unacknowledged

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka import Message as KafkaMessage

Header = tuple[str, bytes | None]
#: the call and the row in it: the order in which events were handed over
Turn = tuple[int, int]
Report = Callable[["KafkaError | None", "KafkaMessage"], None]


class Handed:
    """The events of one call; failures are added to `failed` by their turn, as reports come in no order.

    `headers` must say the same each time they are gone through.
    """

    def __init__(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[Header]],
        times_ms: Sequence[int],
        failed: dict[Turn, Unacknowledged],
        call: int,
    ) -> None:
        self._topic = topic
        self._keys = keys
        self._values = values
        self._given = list(headers) if isinstance(headers, Iterator) else headers
        self._times = times_ms
        self._failed = failed
        self._call = call

    def events(
        self,
    ) -> Iterator[tuple[bytes | None, bytes | None, Sequence[Header], int, Report]]:
        """Key, value, headers, time and report of each event."""
        return zip(self._keys, self._values, self._given, self._times, self._reports(), strict=True)

    def give_up(self, rows: Iterable[int], cause: str) -> None:
        """These were not handed over at all."""
        for row in rows:
            self._fail(row, -1, cause)

    def _reports(self) -> Iterable[Report]:
        if len(set(self._values)) == len(self._values):
            return repeat(self._reported, len(self._values))
        return (MethodType(self._reported_row, row) for row in range(len(self._values)))

    def _reported(self, error: KafkaError | None, message: KafkaMessage) -> None:
        if error is not None:
            self._reported_row(self._rows[message.value()], error, message)

    def _reported_row(self, row: int, error: KafkaError | None, message: KafkaMessage) -> None:
        if error is not None:
            partition = message.partition()
            self._fail(row, -1 if partition is None else partition, error.str())

    def _fail(self, row: int, partition: int, cause: str) -> None:
        event = self._keys[row], self._values[row], tuple(self._headers[row]), self._times[row]
        self._failed[self._call, row] = Unacknowledged(self._topic, partition, *event, cause)

    @cached_property
    def _rows(self) -> dict[bytes | None, int]:
        return {value: row for row, value in enumerate(self._values)}

    @cached_property
    def _headers(self) -> Sequence[Sequence[Header]]:
        return list(self._given)
