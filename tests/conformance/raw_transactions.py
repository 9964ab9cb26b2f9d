"""Producers made by hand, one request at a time: they send what they are told, right or wrong.

Coordinators that are not ready, or still write markers, are asked again; every other answer is handed out.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from confluent_kafka.admin import AdminClient
from kio.schema.errors import ErrorCode

from tests.conformance.asking import Asking
from tests.conformance.batches import last_offset, split
from tests.unit.broker_kit import Item, batch

PRODUCE, FETCH, LIST_OFFSETS, OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR = 0, 1, 2, 8, 9, 10
JOIN_GROUP, SYNC_GROUP, CREATE_TOPICS, INIT_PRODUCER_ID = 11, 14, 19, 22
ADD_PARTITIONS, ADD_OFFSETS, END_TXN = 24, 25, 26
TXN_OFFSET_COMMIT, DELETE_GROUPS, OFFSET_DELETE = 28, 42, 47
DESCRIBE_PRODUCERS, DESCRIBE_TRANSACTIONS, LIST_TRANSACTIONS = 61, 65, 66
TRANSACTIONAL = 0x10
#: Some events of the tests are of long ago; retention must not take them away meanwhile.
KEPT = {"retention.ms": "-1"}
NOT_YET = {
    ErrorCode.concurrent_transactions,
    ErrorCode.coordinator_load_in_progress,
    ErrorCode.coordinator_not_available,
    ErrorCode.not_coordinator,
    ErrorCode.not_enough_replicas,
}


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Return when it holds; fail after 30 seconds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Producer:
    """A producer with a transactional id and a group of its own, and a topic of two partitions."""

    def __init__(self, bootstrap: str, topic: str | None = None) -> None:
        self.bootstrap = bootstrap
        self.name = f"x-{uuid.uuid4().hex}"
        self.group = f"g-{self.name}"
        self.topic = topic or f"by-hand-{uuid.uuid4().hex}"
        self.connection = Asking(bootstrap)
        self.id, self.epoch, self.sequences = -1, -1, [0, 0]
        self._twins: list[Producer] = []
        if topic is None:
            self.create_topic()
        for key, kind in ((self.name, 1), (self.group, 0)):
            self.connection.call(FIND_COORDINATOR, 3, key=key, key_type=kind)

    @cached_property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def create_topic(self, **config: str) -> None:
        """Make the topic, which keeps what is old, and wait until both partitions have a leader."""
        topic = {"name": self.topic, "num_partitions": 2, "replication_factor": 1, "assignments": []}
        configs = [{"name": name, "value": value} for name, value in (KEPT | config).items()]
        topics = [topic | {"configs": configs}]
        made = self.connection.call(CREATE_TOPICS, 7, topics=topics, timeout=20_000, validate_only=False)
        assert made.topics[0].error_code == ErrorCode.none
        eventually(
            lambda: all(self.place(p, -1).error_code == ErrorCode.none for p in (0, 1)),
            "the new topic has no leader",
        )

    def twin(self) -> Producer:
        """Another producer on the same topic, closed with this one."""
        self._twins.append(Producer(self.bootstrap, self.topic))
        return self._twins[-1]

    def elsewhere(self, **config: str) -> Producer:
        """Another producer on a topic of its own with these settings, closed with this one."""
        self._twins.append(Producer(self.bootstrap, f"by-hand-{uuid.uuid4().hex}"))
        self._twins[-1].create_topic(**config)
        return self._twins[-1]

    def close(self) -> None:
        for twin in self._twins:
            twin.close()
        self.connection.socket.close()

    def until_ready(self, code: Callable[[Any], ErrorCode], *arguments: Any, **values: Any) -> Any:
        """The answer, asked for again while the coordinator says `not yet`; `code` finds its error."""
        deadline = time.monotonic() + 30
        while code(answer := self.connection.call(*arguments, **values)) in NOT_YET:
            assert time.monotonic() < deadline, code(answer)
            time.sleep(0.02)
        return answer

    # Its id

    def init(self, version: int = 4, **values: Any) -> tuple[ErrorCode, int, int]:
        own = {"transactional_id": self.name, "transaction_timeout": 60_000}
        own |= {"producer_id": -1, "producer_epoch": -1} | values
        answer = self.until_ready(lambda a: a.error_code, INIT_PRODUCER_ID, version, **own)
        return answer.error_code, answer.producer_id, answer.producer_epoch

    def ready(self, **values: Any) -> Producer:
        code, self.id, self.epoch = self.init(**values)
        self.sequences = [0, 0]
        assert code == ErrorCode.none
        return self

    def idempotent(self) -> Producer:
        """With an id that has nothing to do with transactions."""
        return self.ready(transactional_id=None)

    def begun(self, *partitions: int, **values: Any) -> Producer:
        """With these partitions, or the first, in a transaction."""
        assert set(self.ready(**values).add(partitions or (0,))) == {ErrorCode.none}
        return self

    # Its transaction

    def add(self, partitions: Sequence[int] = (0,), version: int = 3, **values: Any) -> list[ErrorCode]:
        given = {"transactional_id": self.name, "producer_id": self.id, "producer_epoch": self.epoch} | values
        named = {f"v3_and_below_{key}": value for key, value in given.items()}
        topics = [{"name": self.topic, "partitions": partitions}]

        def codes(answer: Any) -> list[ErrorCode]:
            parts = answer.results_by_topic_v3_and_below[0].results_by_partition
            return [part.partition_error_code for part in sorted(parts, key=lambda p: p.partition_index)]

        named["v3_and_below_topics"] = topics
        return codes(self.until_ready(lambda a: codes(a)[0], ADD_PARTITIONS, version, **named))

    def produce(
        self, sequence: int, *items: Item, partition: int = 0, version: int = 9, **values: Any
    ) -> tuple[ErrorCode, int]:
        """(error code, base offset); `id`, `epoch`, `attributes` and `transactional_id` may be others."""
        producer = (values.get("id", self.id), values.get("epoch", self.epoch), sequence)
        attributes = values.get("attributes", TRANSACTIONAL)
        data = batch(items or [Item()], producer=producer, attributes=attributes)
        part = self.send(data, partition, version, values.get("transactional_id", self.name))
        return part.error_code, part.base_offset

    def send(self, data: bytes, partition: int = 0, version: int = 9, name: str | None = None) -> Any:
        """The answer for the partition; NOT_ENOUGH_REPLICAS: Kafka could not ask who holds the id."""
        topics = [{"name": self.topic, "partition_data": [{"index": partition, "records": data}]}]
        asked = {"transactional_id": name, "acks": -1, "timeout": 5000, "topic_data": topics}

        def code(answer: Any) -> ErrorCode:
            found: ErrorCode = answer.responses[0].partition_responses[0].error_code
            return found

        return self.until_ready(code, PRODUCE, version, **asked).responses[0].partition_responses[0]

    def plain(self, sequence: int, *items: Item, **values: Any) -> tuple[ErrorCode, int]:
        """As `produce`, outside of transactions."""
        return self.produce(sequence, *items, **{"attributes": 0, "transactional_id": None} | values)

    def write(self, *values: bytes, partition: int = 0) -> int:
        """One batch in the transaction, with the next sequence; its offset."""
        sequence = self.sequences[partition]
        items = [Item(value=value) for value in values] or [Item()]
        code, offset = self.produce(sequence, *items, partition=partition)
        assert code == ErrorCode.none
        self.sequences[partition] += len(items)
        return offset

    def end(self, committed: bool, version: int = 3, **values: Any) -> ErrorCode:
        own = {"transactional_id": self.name, "producer_id": self.id, "producer_epoch": self.epoch}
        own |= {"committed": committed} | values
        answer = self.until_ready(lambda a: a.error_code, END_TXN, version, **own)
        code: ErrorCode = answer.error_code
        return code

    # Offsets in its transaction

    def add_offsets(self, version: int = 3, **values: Any) -> ErrorCode:
        own = {"transactional_id": self.name, "producer_id": self.id, "producer_epoch": self.epoch}
        own |= {"group_id": self.group} | values
        answer = self.until_ready(lambda a: a.error_code, ADD_OFFSETS, version, **own)
        code: ErrorCode = answer.error_code
        return code

    def commit_offset(self, offset: int, version: int = 3, **values: Any) -> ErrorCode:
        """In the transaction, of the first partition or of the one that is named."""
        own = {"transactional_id": self.name, "producer_id": self.id, "producer_epoch": self.epoch}
        own |= {"group_id": self.group, "generation_id": -1, "member_id": "", "group_instance_id": None}
        topics = self._position(offset, values.pop("partition", 0))
        return _first(self.until_ready(_first, TXN_OFFSET_COMMIT, version, topics=topics, **own | values))

    def commit_plainly(self, offset: int) -> ErrorCode:
        """Outside of every transaction, as somebody who is no member."""
        own = {"group_id": self.group, "generation_id_or_member_epoch": -1, "member_id": ""}
        own |= {"group_instance_id": None}
        return _first(self.until_ready(_first, OFFSET_COMMIT, 7, topics=self._position(offset), **own))

    def _position(self, offset: int, partition: int = 0) -> list[dict[str, Any]]:
        part: dict[str, Any] = {"partition_index": partition, "committed_offset": offset}
        part |= {"committed_leader_epoch": -1, "committed_metadata": ""}
        return [{"name": self.topic, "partitions": [part]}]

    def position(self, *, stable: bool) -> tuple[ErrorCode, int]:
        topics = [{"name": self.topic, "partition_indexes": [0]}]
        asked = {"group_id": self.group, "topics": topics, "require_stable": stable}
        answer = self.connection.call(OFFSET_FETCH, 7, **asked)
        part = answer.topics[0].partitions[0]
        return part.error_code, part.committed_offset

    def settled_position(self) -> int:
        """When no offset waits for a transaction any more."""
        unstable = ErrorCode.unstable_offset_commit
        eventually(lambda: self.position(stable=True)[0] != unstable, "an offset still waits")
        return self.position(stable=True)[1]

    def join(self, instance_id: str | None = None) -> dict[str, Any]:
        """Become the only member of the group: what this member says with each commit."""
        own: dict[str, Any] = {"group_id": self.group, "group_instance_id": instance_id}
        protocols = [{"name": "range", "metadata": b"\0\0\0\0\0\0\0\0\0\0"}]
        times = {"session_timeout": 30_000, "rebalance_timeout": 30_000}
        asked = {"protocol_type": "consumer", "protocols": protocols} | times | own
        joined = self.connection.call(JOIN_GROUP, 5, member_id="", **asked)
        if joined.error_code == ErrorCode.member_id_required:
            joined = self.connection.call(JOIN_GROUP, 5, member_id=joined.member_id, **asked)
        assert joined.error_code == ErrorCode.none
        own |= {"member_id": joined.member_id, "generation_id": joined.generation_id}
        assignments = [{"member_id": joined.member_id, "assignment": b""}]
        synced = self.connection.call(SYNC_GROUP, 3, assignments=assignments, **own)
        assert synced.error_code == ErrorCode.none
        return own

    # What is seen

    def place(self, partition: int, timestamp: int, isolation: int = 0) -> Any:
        part = {"partition_index": partition, "current_leader_epoch": -1, "timestamp": timestamp}
        topics = [{"name": self.topic, "partitions": [part]}]
        asked = {"replica_id": -1, "isolation_level": isolation, "topics": topics}
        return self.connection.call(LIST_OFFSETS, 7, **asked).topics[0].partitions[0]

    def offset(self, timestamp: int, isolation: int, partition: int = 0) -> int:
        return int(self.place(partition, timestamp, isolation).offset)

    def settled(self) -> Producer:
        """When the markers of what was decided are written."""
        eventually(lambda: all(self.offset(-1, 1, p) == self.offset(-1, 0, p) for p in (0, 1)), "no marker")
        return self

    def fetch(self, offset: int, isolation: int = 1, wait_ms: int = 0, limit: int = 4 << 20) -> Any:
        """The answer for the first partition; `limit` in bytes."""
        part = {"partition": 0, "current_leader_epoch": -1, "fetch_offset": offset, "last_fetched_epoch": -1}
        part |= {"log_start_offset": -1, "partition_max_bytes": limit}
        answer = self.connection.call(
            FETCH,
            12,
            replica_id=-1,
            max_wait=wait_ms,
            min_bytes=1 if wait_ms else 0,
            max_bytes=limit,
            isolation_level=isolation,
            session_id=0,
            session_epoch=-1,
            topics=[{"topic": self.topic, "partitions": [part]}],
            forgotten_topics_data=[],
            rack_id="",
        )
        return answer.responses[0].partitions[0]

    def batches(self, isolation: int = 0) -> list[bytes]:
        """Every batch of the first partition, whole."""
        found: list[bytes] = []
        offset, end = self.offset(-2, isolation), self.offset(-1, isolation)
        while offset < end:
            fetched = [
                data for data in split(self.fetch(offset, isolation).records) if last_offset(data) >= offset
            ]
            assert fetched, f"nothing at {offset} before {end}"
            found += fetched
            offset = last_offset(fetched[-1]) + 1
        return found

    def active(self) -> Any:
        """What the first partition knows of this producer."""
        topics = [{"name": self.topic, "partition_indexes": [0]}]
        answer = self.connection.call(DESCRIBE_PRODUCERS, 0, topics=topics)
        known = answer.topics[0].partitions[0].active_producers
        return next(found for found in known if found.producer_id == self.id)

    def described(self) -> Any:
        """What the coordinator knows of the transactional id."""
        answer = self.connection.call(DESCRIBE_TRANSACTIONS, 0, transactional_ids=[self.name])
        return answer.transaction_states[0]


def _first(answer: Any) -> ErrorCode:
    code: ErrorCode = answer.topics[0].partitions[0].error_code
    return code
