"""What the mesh needs from the outside world; each has one adapter per technology."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from mesh.event import SchemaKey
from mesh.plan.access import Grant
from mesh.plan.actual import ContractFacts, ProductFacts, SubjectFacts, TopicFacts
from mesh.positions import Gap, Place
from mesh.rules.ruleset import RuleSet
from mesh.schema import AvroSchema


class BrokerAdmin(Protocol):
    """Topics, events and grants of a Kafka cluster. Raises UnreachableError when it does not answer."""

    def topics(self) -> Mapping[str, TopicFacts]: ...
    def create_topic(self, topic: str, partitions: int, config: Mapping[str, str]) -> None: ...
    def alter_topic(self, topic: str, config: Mapping[str, str]) -> None: ...
    def add_partitions(self, topic: str, total: int) -> None: ...
    def delete_topic(self, topic: str) -> None: ...

    def events(self, topics: Collection[str]) -> Mapping[str, int]:
        """How many events each holds; counted by offsets, so a compacted topic holds at most so many."""

    def expired(self, retention: Mapping[str, int]) -> Mapping[str, int]:
        """By topic, how many events are older than this many milliseconds."""

    def groups(self, topics: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """By topic, the consumer groups that hold a position on it."""

    def grants(self, principals: Collection[str]) -> frozenset[Grant] | None:
        """What these principals may do; None where the cluster has no authorizer."""

    def grant(self, grant: Grant) -> None: ...


class Registry(Protocol):
    """A schema registry with Confluent's API. Raises RegistryError, or UnreachableError."""

    def subjects(self, names: Collection[str], prefixes: Collection[str]) -> Mapping[str, SubjectFacts]:
        """Those of these names that are there, and every subject whose name starts so."""

    def refusal(self, subject: str, schema: AvroSchema) -> str | None:
        """Why the registry would not take this schema next; None when it would."""

    def delete_subject(self, name: str) -> None: ...

    def register(self, subject: str, schema: AvroSchema, rule_set: RuleSet | None = None) -> int:
        """The schema's id; without a rule set it keeps that of the version before."""

    def set_level(self, subject: str, level: str) -> None: ...
    def schema_id(self, subject: str, schema: AvroSchema) -> int: ...
    def schema_guid(self, subject: str, schema: AvroSchema) -> UUID:
        """By which events name it in a header."""

    def schema(self, schema_id: SchemaKey) -> AvroSchema: ...


class Platform(Protocol):
    """The mesh's own services: catalog and governance. Raises MeshError as the service answers."""

    def contracts(self) -> Mapping[str, ContractFacts]: ...
    def products(self) -> Mapping[str, ProductFacts]: ...
    def contract(self, contract_id: str) -> ContractFacts: ...
    def port(self, product: str) -> ContractFacts: ...
    def declare_contract(self, file: str, text: str, avro: str = "") -> None: ...
    def declare_product(self, file: str, text: str) -> None: ...
    def remove_contract(self, contract_id: str) -> None: ...
    def remove_product(self, full_name: str) -> None: ...
    def propose(self, file: str, text: str, reason: str, avro: str = "") -> Mapping[str, Any]: ...
    def proposals(self) -> Sequence[Mapping[str, Any]]: ...
    def proposal(self, number: int) -> Mapping[str, Any]: ...
    def decide(self, number: int, decision: str, reason: str, sha256: str) -> Mapping[str, Any]: ...
    def subscribe(self, product: str, group: str, fields: Sequence[str], purpose: str) -> None: ...


#: a partition of a topic
Partition = tuple[str, int]


class Message(Protocol):
    """One Kafka record as it came in; the shape is the official client's."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...
    def timestamp(self) -> tuple[int, int]: ...


class Sender(Protocol):
    """Sends events: acknowledged by all in-sync replicas, in order, once.

    Raises UnreachableError or EventError.
    """

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Iterable[Sequence[tuple[str, bytes | None]]],
        times_ms: Sequence[int],
    ) -> None:
        """Hand events over; delivery is awaited by `flush`. `times_ms` of 0 means now."""

    def flush(self) -> None:
        """Wait until everything handed over is acknowledged; raises for what was not."""

    def close(self) -> None: ...


class Receiver(Protocol):
    """Receives records of one topic. Raises UnreachableError."""

    def take(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Up to `most` records, as soon as there are some; empty after `wait_seconds` without any."""

    def commit(self) -> None:
        """Everything taken before the last `take` is done with."""

    def at_end(self) -> bool:
        """Whether everything that was there at the start has been taken; never for an endless reading."""

    def close(self) -> None: ...


class Member(Receiver, Protocol):
    """A receiver whose partitions can wait, each by itself."""

    def hold(self, positions: Mapping[int, int]) -> None:
        """Take nothing more of these partitions; each goes on at its offset, and is committed up to it."""

    def release(self, partitions: Collection[int]) -> None:
        """Go on with these partitions where they were held."""


class Inputs(Protocol):
    """Receives records of several topics as one member of a group; a transaction keeps its positions.

    Raises UnreachableError, or MeshError when it is shut out or when events are gone.
    """

    @property
    def member(self) -> bytes | None:
        """Who it is in the group, as a transaction is told; None when it is nobody at present."""

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that are its own at present."""

    def take(self, most: int, wait_seconds: float, fill_seconds: float) -> Sequence[Message]:
        """Up to `most` records: whatever comes within `fill_seconds` of the first."""

    def rewind(self) -> None:
        """Go back to what is committed, on every partition; nothing is held any more."""

    def hold(self, positions: Mapping[Partition, int]) -> None:
        """Take nothing more of these partitions; each goes on at its offset."""

    def release(self, partitions: Collection[Partition]) -> None:
        """Go on with these partitions where they were held."""

    def lag(self) -> Mapping[Partition, int]:
        """By partition, how many offsets were not taken so far; without those where that is not known."""

    def close(self) -> None: ...


class Transactional(Sender, Protocol):
    """A sender whose events count together with the positions of what they come from, or not at all.

    Raises MeshError when another has its name, UnreachableError when an end is not known.
    """

    def begin(self) -> None: ...

    def commit(self, positions: Mapping[Partition, int], member: bytes) -> None:
        """Begin to commit what was sent, and that a group's member has read up to `positions`."""

    def outcome(self) -> str | None:
        """Wait for the commit that was begun, if any: None when it is done, else why it was aborted."""

    def abort(self) -> None:
        """Drop what was sent since `begin`."""


class Steered(Member, Protocol):
    """A member that can be moved and stopped, and says where it is. Raises UnreachableError."""

    @property
    def gaps(self) -> Sequence[Gap]:
        """What the group wanted and the topic no longer had."""

    def assigned(self) -> frozenset[int]:
        """The partitions that are this member's at present."""

    @property
    def positions(self) -> Mapping[int, int]:
        """By partition of ours, the offset up to which all is handled; where that is known already."""

    @property
    def refused(self) -> int:
        """How many commits the group refused, because partitions had gone to another member."""

    def settle(self) -> None:
        """Everything taken is handled; it is written down soon, by `commit` or `close` at the latest."""

    def seek(self, place: Place) -> None:
        """Go on from a place, on the partitions that are ours; before there are any, on the first to come."""

    def pause(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing more of these partitions, or of all; membership is kept."""

    def resume(self, partitions: Collection[int] | None = None) -> None:
        """Go on with these partitions, or with all, where they were paused."""

    def lag(self) -> Mapping[int, int]:
        """By partition of ours, how many offsets are not handled yet."""


class Tail(Protocol):
    """The records of a small topic from its first one on. Raises UnreachableError."""

    def news(self) -> Sequence[Message]:
        """What came since the last look, without waiting for more."""

    def caught_up(self) -> Sequence[Message]:
        """What came since the last look, up to the end that stands there now."""

    def close(self) -> None: ...
