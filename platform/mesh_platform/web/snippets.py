"""How to read a product, as code to copy: the mesh API, the official Kafka client, kcat."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from mesh_platform.web.product_view import Connection

GROUP = "my-domain.my-app"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code with the tool it is for."""

    tool: str
    hint: str
    code: str


def snippets(product: str, topic: str, connection: Connection) -> tuple[Snippet, ...]:
    """The three ways in, shortest first. `product` is `<domain>.<product>`."""
    return (
        Snippet("mesh", "Python, batches of checked events", _mesh(product)),
        Snippet("confluent-kafka", "Python, the official client", _confluent(topic, connection)),
        Snippet("kcat", "the command line", _kcat(topic, connection)),
    )


def _mesh(product: str) -> str:
    return f"""import mesh

for batch in mesh.subscribe({_text(product)}, group={_text(GROUP)}).batches():
    print(batch.to_polars())"""


def _confluent(topic: str, connection: Connection) -> str:
    return f"""from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

token = "…"  # what `mesh token` prints
registry = {{"url": {_text(connection.registry)}, "basic.auth.user.info": f"reader:{{token}}"}}
decode = AvroDeserializer(SchemaRegistryClient(registry))
consumer = Consumer({{
    "bootstrap.servers": {_text(connection.bootstrap)},
    "group.id": {_text(GROUP)},
    "auto.offset.reset": "earliest",
}})
consumer.subscribe([{_text(topic)}])
while True:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if message.error():
        raise KafkaException(message.error())
    print(decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE)))"""


def _kcat(topic: str, connection: Connection) -> str:
    # The values are Avro, which not every kcat is built for: keys, places and sizes are shown by all.
    server, name = map(shlex.quote, (connection.bootstrap, topic))
    return f"kcat -C -e -b {server} -t {name} -o -5 -f '%p/%o %k, %S bytes of Avro\\n'"


def _text(value: str) -> str:
    """A Python string literal, quoted as people write it."""
    literal = repr(value)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal
