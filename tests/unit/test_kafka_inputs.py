"""What a member of a pipeline's group is told only once, however it comes, is not lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from mesh.adapters.kafka_inputs import GroupInputs
from mesh.errors import MeshError, UnreachableError
from mesh.interfaces import Partition
from mesh.pipelines.intake import Intake

TOPIC = "tests.numbers.v1"


class Told:
    """A message that brings an error."""

    def __init__(self, code: int, topic: str | None = None) -> None:
        self._error, self._topic = KafkaError(code, "as the broker says"), topic

    def error(self) -> KafkaError:
        return self._error

    def topic(self) -> str | None:
        return self._topic

    def partition(self) -> int:
        return 0


class Client:
    """A consumer that owns a partition, loses it in the next look, and brings a message with that."""

    brings: Told

    def __init__(self, _settings: dict[str, Any]) -> None:
        self._revoked: Callable[..., None] | None = None

    def subscribe(self, _topics: list[str], **callbacks: Callable[..., None]) -> None:
        callbacks["on_assign"](self, [TopicPartition(TOPIC, 0)])
        self._revoked = callbacks["on_revoke"]

    def consumer_group_metadata(self) -> bytes:
        return bytes(20)

    def consume(self, _most: int, _seconds: float) -> list[Any]:
        if self._revoked is None:
            return []
        self._revoked(self, [TopicPartition(TOPIC, 0)])
        self._revoked = None
        return [self.brings]


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch) -> GroupInputs:
    monkeypatch.setattr("confluent_kafka.Consumer", Client)
    return GroupInputs("nowhere:1", [TOPIC], "tests.sums", name=None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(KafkaError._FATAL, "MESH-K051"), (KafkaError.TOPIC_AUTHORIZATION_FAILED, "MESH-K032")],
    ids=["shut out", "refused"],
)
def test_an_error_that_comes_beside_a_move_is_not_lost_with_what_was_taken(
    inputs: GroupInputs, code: int, expected: str
) -> None:
    """A worker that was shut out while its partitions were taken away stood still for good."""
    Client.brings = Told(code, TOPIC)
    with pytest.raises(MeshError) as raised:
        inputs.take(10, 0.1, 0.1)
    assert raised.value.error_code == expected


def test_whoever_is_shut_out_is_told_each_time(inputs: GroupInputs) -> None:
    Client.brings = Told(KafkaError._FATAL)
    for _ in range(2):
        with pytest.raises(MeshError, match="shut out"):
            inputs.take(10, 0.1, 0.1)


def test_the_word_that_a_partition_has_ended_is_no_reason_to_stop(inputs: GroupInputs) -> None:
    Client.brings = Told(KafkaError._PARTITION_EOF, TOPIC)
    assert inputs.take(10, 0.1, 0.1) == []


class Unplaced(Client):
    """A consumer without a position, whose group nobody can ask at first."""

    answers = False

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.begun: list[int] = []
        self.asked = 0
        self._brought = False

    def consume(self, _most: int, _seconds: float) -> list[Any]:
        brought, self._brought = self._brought, True
        return [] if brought else [Told(KafkaError._AUTO_OFFSET_RESET, TOPIC)]

    def committed(self, partitions: list[TopicPartition], _seconds: float) -> list[TopicPartition]:
        self.asked += 1
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return partitions

    def get_watermark_offsets(self, _partition: TopicPartition, _seconds: float) -> tuple[int, int]:
        return 0, 10

    def incremental_unassign(self, _partitions: list[TopicPartition]) -> None:
        pass

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.begun += [partition.offset for partition in partitions]


def test_a_partition_without_a_position_waits_for_the_group_to_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker died of it when a broker was killed just then: that there is no position is told only once."""
    monkeypatch.setattr("confluent_kafka.Consumer", Unplaced)
    inputs = GroupInputs("nowhere:1", [TOPIC], "tests.sums")
    client = inputs._consumer
    assert isinstance(client, Unplaced)
    assert inputs.take(10, 0.1, 0.1) == []
    for _ in range(2):
        with pytest.raises(UnreachableError):
            inputs.take(10, 0.1, 0.1)
    assert client.begun == []
    monkeypatch.setattr(Unplaced, "answers", True)
    assert inputs.take(10, 0.1, 0.1) == []
    assert inputs.take(10, 0.1, 0.1) == []
    assert client.begun == [OFFSET_BEGINNING]


def moved_away(inputs: GroupInputs, client: Unplaced) -> None:
    assert client._revoked is not None
    client._revoked(client, [TopicPartition(TOPIC, 0)])


def gone_back(inputs: GroupInputs, client: Unplaced) -> None:
    inputs.rewind()


@pytest.mark.parametrize("meanwhile", [moved_away, gone_back])
def test_nobody_is_asked_about_a_partition_that_is_gone_or_looked_for_anew(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[GroupInputs, Unplaced], None]
) -> None:
    """It would begin again at the beginning, beside whoever has it now or behind what is committed."""
    monkeypatch.setattr("confluent_kafka.Consumer", Unplaced)
    monkeypatch.setattr(Unplaced, "answers", True)
    inputs = GroupInputs("nowhere:1", [TOPIC], "tests.sums")
    client = inputs._consumer
    assert isinstance(client, Unplaced)
    inputs.take(10, 0.1, 0.1)
    meanwhile(inputs, client)
    inputs.take(10, 0.1, 0.1)
    assert (client.asked, OFFSET_BEGINNING in client.begun) == (0, False)


class Asked(Client):
    """A consumer that has not heard from every partition so far."""

    positions: Mapping[int, int] = {}
    ends: Mapping[int, int] = {}

    def subscribe(self, _topics: list[str], **callbacks: Callable[..., None]) -> None:
        callbacks["on_assign"](self, [TopicPartition(TOPIC, number) for number in range(2)])

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [
            TopicPartition(TOPIC, p.partition, self.positions.get(p.partition, -1001)) for p in partitions
        ]

    def get_watermark_offsets(self, partition: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached, "a look at the lag asks nobody"
        return -1001, self.ends.get(partition.partition, -1001)


@pytest.mark.parametrize(
    ("positions", "ends", "expected"),
    [
        ({}, {}, {}),
        ({0: 3}, {0: 10}, {(TOPIC, 0): 7}),
        ({0: 3}, {0: 10, 1: 5}, {(TOPIC, 0): 7}),
        ({0: 3, 1: 5}, {0: 10, 1: 5}, {(TOPIC, 0): 7, (TOPIC, 1): 0}),
    ],
    ids=["nothing known", "one end", "nothing taken", "all known"],
)
def test_a_partition_of_which_nobody_has_said_how_far_it_goes_has_no_lag_of_zero(
    monkeypatch: pytest.MonkeyPatch,
    positions: dict[int, int],
    ends: dict[int, int],
    expected: dict[Partition, int],
) -> None:
    """A pipeline that had just begun said that nothing was left to read."""
    monkeypatch.setattr("confluent_kafka.Consumer", Asked)
    monkeypatch.setattr(Asked, "positions", positions)
    monkeypatch.setattr(Asked, "ends", ends)
    inputs = GroupInputs("nowhere:1", [TOPIC], "tests.sums")
    assert inputs.lag() == expected
    lag, partitions = Intake([], inputs).lag()
    assert (lag, partitions) == (sum(expected.values()) if len(expected) == 2 else None, 2)
