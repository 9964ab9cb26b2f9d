"""The control topic from outside: whether it answers, which topic it is, and what it still holds."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh.errors import MeshError

if TYPE_CHECKING:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

#: What does not change by waiting; whatever else a broker says, it may say otherwise in a moment.
_FINAL = frozenset(
    {
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "POLICY_VIOLATION",
        "INVALID_CONFIG",
        "INVALID_REPLICATION_FACTOR",
        "TOPIC_EXCEPTION",
        "UNSUPPORTED_VERSION",
        "_UNSUPPORTED_FEATURE",
        "_AUTHENTICATION",
        "SASL_AUTHENTICATION_FAILED",
    }
)
_NO_SUCH_TOPIC = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})


@dataclass(frozen=True, slots=True)
class Glance:
    """The topic at one moment: its own id, its partitions, and the offsets it holds, `end` not included."""

    id: str
    partitions: int
    first: int
    end: int


class ControlTopic:
    """Asks about one topic; raises UnreachableError (MESH-X001), MeshError (MESH-S023) when it may not."""

    def __init__(self, bootstrap: str, name: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        from confluent_kafka.admin import AdminClient

        self.bootstrap = bootstrap
        self.name = name
        self.timeout_seconds = timeout_seconds
        self.client: AdminClient = AdminClient(
            {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": _quiet}
        )

    def glance(self) -> Glance | None:
        """How it is now; None when there is no such topic."""
        from confluent_kafka import KafkaException, TopicCollection

        try:
            asked = self.client.describe_topics(
                TopicCollection([self.name]), request_timeout=self.timeout_seconds
            )
            described: Any = asked[self.name].result()
            if not described.partitions:
                return None
            first, end = (self._offset(which) for which in ("earliest", "latest"))
        except KafkaException as error:
            if error.args[0].name() in _NO_SUCH_TOPIC:
                return None
            raise self.told(error) from error
        return Glance(str(described.topic_id), len(described.partitions), first, end)

    def end(self) -> Future[int]:
        """The offset after the last record that is acknowledged, to come."""
        end: Future[int] = Future()

        def answered(asked: Future[Any]) -> None:
            if not end.set_running_or_notify_cancel():
                return
            if (error := asked.exception()) is not None:
                end.set_exception(error)
            else:
                end.set_result(int(asked.result().offset))

        self._asked("latest").add_done_callback(answered)
        return end

    def told(self, error: KafkaException) -> MeshError:
        """What the broker said, as an error of ours."""
        cause = error.args[0]
        if cause.name() not in _FINAL:
            return unreachable(self.bootstrap, cause.str())
        return MeshError(
            "the broker does not let the platform use the control topic",
            code="MESH-S023",
            where=self.name,
            why=cause.str(),
            fix=f"let the platform describe, create, read and write {self.name}",
        )

    def _offset(self, which: str) -> int:
        return int(self._asked(which).result().offset)

    def _asked(self, which: str) -> Future[Any]:
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        asked = {TopicPartition(self.name, 0): getattr(OffsetSpec, which)()}
        found: Future[Any]
        (found,) = self.client.list_offsets(asked, request_timeout=self.timeout_seconds).values()
        return found


def _quiet(_error: object) -> None:
    """Connection errors reach the caller as exceptions; librdkafka need not print them too."""
