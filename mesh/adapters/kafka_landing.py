"""Landing on confluent-kafka: parcels by transactions; opening one fences the earlier of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import unreachable
from mesh.adapters.kafka_sender import ANY_SIZE
from mesh.errors import MeshError
from mesh.letters.target import Parcel

if TYPE_CHECKING:
    from confluent_kafka import Producer

TIMEOUT_SECONDS = 30.0
#: A replay that dies leaves its transaction open for so long, and readers wait for it at most so long.
TRANSACTION_MS = 10_000
_FENCED = ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING")


class KafkaLanding:
    """Sends to one cluster, all of a call or nothing of it."""

    def __init__(self, bootstrap: str, name: str) -> None:
        from confluent_kafka import Producer

        self._bootstrap = bootstrap
        self._name = name
        self._producer: Producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                **ANY_SIZE,
                "transactional.id": name,
                "transaction.timeout.ms": TRANSACTION_MS,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,
                "error_cb": lambda _error: None,
            }
        )
        self._ask(lambda: self._producer.init_transactions(TIMEOUT_SECONDS))

    def land(self, parcels: Sequence[Parcel]) -> None:
        """One transaction."""
        self._ask(self._producer.begin_transaction)
        try:
            for one in parcels:
                self._ask(partial(self._produce, one))
            self._ask(lambda: self._producer.commit_transaction(TIMEOUT_SECONDS))
        except MeshError:
            self._aborted()
            raise

    def close(self) -> None:
        """Nothing is held but the client; it ends with this object."""
        self._producer.flush(0)

    def _produce(self, one: Parcel) -> None:
        self._producer.produce(one.topic, one.value, one.key, headers=[*one.headers])

    def _aborted(self) -> None:
        from confluent_kafka import KafkaException

        try:
            self._producer.abort_transaction(TIMEOUT_SECONDS)
        except KafkaException:
            # Fenced, or nobody answers: the broker aborts it by itself.
            return

    def _ask(self, question: Callable[[], Any]) -> None:
        from confluent_kafka import KafkaException

        try:
            question()
        except KafkaException as error:
            cause = error.args[0]
            if cause.name() in _FENCED:
                raise MeshError(
                    "another replay of these dead letters began",
                    code="MESH-E092",
                    where=self._name,
                    why="of two at the same time the later one goes on, so that no event lands twice",
                    fix="run mesh dlq replay again when it is done: it goes on where this one ended",
                ) from error
            if cause.name() in ("_TIMED_OUT", "_TRANSPORT", "_ALL_BROKERS_DOWN"):
                raise unreachable(self._bootstrap, cause.str()) from error
            raise MeshError(
                "the broker does not take the letters",
                code="MESH-E093",
                where=self._name,
                why=cause.str(),
                fix="mend what it says and run mesh dlq replay again: nothing of this step was sent",
            ) from error
