"""Offsets that a broker is asked for: no answer is not taken for no offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import KafkaError

from mesh.adapters.kafka_places import Places
from mesh.errors import UnreachableError


@dataclass
class Found:
    partition: int
    offset: int
    error: KafkaError | None = None


class Consumer:
    """Answers with what it holds, whatever it is asked."""

    def __init__(self, *found: Found) -> None:
        self._found = list(found)

    def committed(self, _asked: Any, _seconds: float) -> list[Found]:
        return self._found

    offsets_for_times = committed

    def get_watermark_offsets(self, _partition: Any, _seconds: float) -> tuple[int, int]:
        return 0, 10


def places(*found: Found) -> Places:
    return Places(Consumer(*found), "nowhere:1", "tests.numbers.v1")  # type: ignore[arg-type]


ASKED: dict[str, Callable[[Places], dict[int, int]]] = {
    "position of the group": lambda of: of.committed([0, 1]),
    "time": lambda of: of.offsets(datetime(2026, 1, 1, tzinfo=UTC), [0, 1]),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_partition_without_an_answer_is_none_without_an_offset(
    ask: Callable[[Places], dict[int, int]],
) -> None:
    """Its group would have begun again, or its reader at the end."""
    leaderless = Found(1, -1, KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
    with pytest.raises(UnreachableError, match="nowhere:1"):
        ask(places(Found(0, 5), leaderless))


@pytest.mark.parametrize(
    ("ask", "expected"), list(zip(ASKED.values(), [{0: 5}, {0: 5, 1: 10}], strict=True)), ids=ASKED
)
def test_where_there_is_none_the_broker_says_so(
    ask: Callable[[Places], dict[int, int]], expected: dict[int, int]
) -> None:
    assert ask(places(Found(0, 5), Found(1, -1))) == expected
