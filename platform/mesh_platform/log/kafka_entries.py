"""A Kafka control log for reading: beside the processes that share it, or when none runs; makes no topic."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.adapters.kafka_asking import TIMEOUT_SECONDS, unreachable
from mesh_platform.log.entry import Entry, entry_of
from mesh_platform.log.kafka_reader import KafkaReader
from mesh_platform.log.refusals import no_log


class KafkaEntries:
    """An EntrySource over a topic.

    Raises UsageError (MESH-U152) when there is no such topic, UnreachableError when no broker answers.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        self.where = topic
        self._bootstrap = bootstrap
        client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": _quiet})
        try:
            topics = client.list_topics(timeout=TIMEOUT_SECONDS).topics
        except KafkaException as error:
            raise unreachable(bootstrap, error.args[0].str()) from error
        if topic not in topics:
            fix = "name the topic with MESH_CONTROL_TOPIC, or the other cluster with --bootstrap"
            raise no_log(topic, f"{bootstrap} has no such topic", fix)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What the topic held when the first record is read, from `start` on."""
        with KafkaReader(self._bootstrap, self.where, start) as reader:
            for record in reader.until_now():
                yield entry_of(record)

    def close(self) -> None:
        """Nothing is held between two readings."""


def _quiet(_error: object) -> None:
    """What it could not do is said by what it raises."""
