"""How long a consumer is asked for more once there is something."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.adapters.kafka_taking import as_soon_as_some


class Message:
    def __init__(self, error: str | None = None) -> None:
        self._error = error

    def error(self) -> str | None:
        return self._error


class Consumer:
    """Gives what it holds, and remembers what it was asked for."""

    def __init__(self, *held: Message) -> None:
        self.held, self.asked = list(held), []  # type: list[Message], list[tuple[int, float]]

    def consume(self, most: int, seconds: float) -> list[Any]:
        self.asked.append((most, seconds))
        given, self.held = self.held[:most], self.held[most:]
        return given


def test_more_is_waited_for_after_a_record() -> None:
    consumer = Consumer(Message(), Message())
    assert len(as_soon_as_some(consumer, 10, 0.5, 0.1)) == 2  # type: ignore[arg-type]
    assert consumer.asked == [(1, 0.5), (9, 0.1)]


def test_nothing_is_waited_for_after_the_word_that_a_partition_has_ended() -> None:
    """A pipeline that had read all waited once more before it saw its last transaction to the end."""
    consumer = Consumer(Message("end"), Message("end"))
    assert len(as_soon_as_some(consumer, 10, 0.5, 0.1)) == 2  # type: ignore[arg-type]
    assert consumer.asked == [(1, 0.5), (9, 0.0)]


@pytest.mark.parametrize(
    ("held", "most"), [([], 10), ([Message(), Message()], 1)], ids=["none", "one wanted"]
)
def test_nobody_is_asked_twice_for_nothing(held: list[Message], most: int) -> None:
    consumer = Consumer(*held)
    assert as_soon_as_some(consumer, most, 0.5, 0.1) == held[:most]  # type: ignore[arg-type]
    assert consumer.asked == [(1, 0.5)]
