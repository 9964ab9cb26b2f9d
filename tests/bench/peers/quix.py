"""Quix Streams: a producer, a dataframe that reads, and one that reads, changes a field and writes."""

from __future__ import annotations

import time
from uuid import uuid4

from quixstreams import Application
from quixstreams.models import Topic
from quixstreams.models.serializers.avro import AvroDeserializer, AvroSerializer
from quixstreams.models.serializers.schema_registry import (
    SchemaRegistryClientConfig,
    SchemaRegistrySerializationConfig,
)

from tests.bench.orders import orders
from tests.bench.peers.asked import Asked, Stopwatch, answer

FAST = {"queued.min.messages": 200_000, "fetch.wait.max.ms": 100}
SENDING = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "queue.buffering.max.messages": 500_000,
}


def application(asked: Asked, guarantee: str = "at-least-once") -> Application:
    return Application(
        broker_address=asked.bootstrap,
        consumer_group=f"quix-{uuid4().hex}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="ERROR",
        consumer_extra_config=FAST,
        producer_extra_config=SENDING,
        processing_guarantee=guarantee,  # type: ignore[arg-type]
    )


def topic(app: Application, name: str, asked: Asked) -> Topic:
    registry = SchemaRegistryClientConfig(url=asked.registry, basic_auth_user_info=asked.user)
    known = SchemaRegistrySerializationConfig(auto_register_schemas=False, use_latest_version=True)
    return app.topic(
        name,
        key_deserializer="str",
        value_serializer=AvroSerializer(asked.schema, False, False, False, registry, known),
        value_deserializer=AvroDeserializer(schema_registry_client_config=registry),
    )


def publish(asked: Asked) -> float:
    rows, app = orders(asked.count), application(asked)
    target = topic(app, asked.topic, asked)
    began = time.perf_counter()
    with app.get_producer() as producer:
        for row in rows:
            message = target.serialize(key=row["order_id"], value=row)
            producer.produce(topic=target.name, key=message.key, value=message.value)
    return time.perf_counter() - began


def subscribe(asked: Asked) -> float:
    app, watch = application(asked), Stopwatch(asked.count)
    app.dataframe(topic(app, asked.topic, asked)).update(lambda _row: watch.lap())
    app.run(count=asked.count, collect=False)
    return watch.seconds


def pipeline(asked: Asked) -> float:
    app, watch = application(asked, "exactly-once"), Stopwatch(asked.count)

    def derived(row: dict) -> dict:  # type: ignore[type-arg]
        watch.lap()
        return row | {"amount": row["amount"] * 2}

    app.dataframe(topic(app, asked.topic, asked)).apply(derived).to_topic(topic(app, asked.output, asked))
    began = time.perf_counter()
    app.run(count=asked.count, collect=False)
    # Until the last transaction is committed, without the joining of the group.
    return time.perf_counter() - max(began, watch.began)


if __name__ == "__main__":
    answer(publish=publish, subscribe=subscribe, pipeline=pipeline)
