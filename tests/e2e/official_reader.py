"""Read a product's topic with the official client alone: no mesh in sight, only Kafka and a schema registry.

usage: official_reader.py BOOTSTRAP REGISTRY_URL TOKEN TOPIC; prints one JSON line per event.
"""

import json
import sys

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

bootstrap, registry_url, token, topic = sys.argv[1:]
registry = SchemaRegistryClient({"url": registry_url, "basic.auth.user.info": f"reader:{token}"})
deserialize = AvroDeserializer(registry)
settings = {
    "bootstrap.servers": bootstrap,
    "group.id": "official.reader",
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
}
consumer = Consumer(settings)
partitions = len(consumer.list_topics(topic).topics[topic].partitions)
consumer.subscribe([topic])
ended: set[int] = set()
while len(ended) < partitions:
    message = consumer.poll(10)
    if message is None:
        sys.exit("nothing came for 10 s")
    if message.error():
        ended.add(message.partition())
        continue
    row = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
    print(json.dumps(row, default=str, sort_keys=True))
consumer.close()
