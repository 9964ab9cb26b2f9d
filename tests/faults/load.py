"""Load: workers that send, read, commit and say what they were told; each a process of its own.

    python -m tests.faults.load sender --bootstrap HOST:PORT --history FILE --seed 7

A worker works until its standard input ends, then finishes what it began, and says which outcome it never
learned. None of them is ever killed: what they say is complete.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from mesh_platform.chaos.history import Recorder

LOG, TXN, TABLE, SLOTS = "log", "txn", "table", "slots"
PARTITIONS: Mapping[str, int] = {LOG: 4, TXN: 3, TABLE: 2, SLOTS: 16}
READERS, COPIERS, KEEPERS = "readers", "copiers", "keepers"
_IN_FLIGHT = 2000
# Without the last one librdkafka 2.16 forgets the coordinator while the broker is away, and a transaction
# waits for it without end (librdkafka issue 5511).
_PATIENT = {
    "log_level": 0,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 150,
    "retry.backoff.ms": 20,
    "metadata.recovery.strategy": "none",
}
_IDEMPOTENT = _PATIENT | {"enable.idempotence": True, "linger.ms": 4, "message.timeout.ms": 120_000}
#: how the client says that its producer is dead; the second when it is flushing
_DEAD = (KafkaException, SystemError)


class Work:
    """What every worker holds: where the broker is, its history, its dice, and whether it shall end."""

    def __init__(self, bootstrap: str, recorder: Recorder, seed: int) -> None:
        self.bootstrap = bootstrap
        self.recorder = recorder
        self.seed = seed
        self.dice = random.Random(seed)
        self.ended = threading.Event()

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"bootstrap.servers": self.bootstrap} | more


def sender(work: Work) -> None:
    """An idempotent producer over all partitions of the log; it goes on over every restart of the broker."""
    lives = 0
    while not work.ended.is_set():
        proc, lives = f"s{work.seed}.{lives}", lives + 1
        _produce(work, {}, partial(_send, work, proc))


def _produce(work: Work, more: Mapping[str, Any], send: Callable[[Producer, int], None]) -> None:
    """Send until the end, or until the client calls the producer dead: no kill of the broker may do that."""
    producer = Producer(work.settings(**(_IDEMPOTENT | dict(more))))
    number = 0
    try:
        while not work.ended.is_set():
            for _ in range(20):
                send(producer, number)
                number += 1
            producer.poll(0.008)
            while len(producer) > _IN_FLIGHT and not work.ended.is_set():
                producer.poll(0.05)
        producer.flush(60)
    except _DEAD as error:
        work.recorder.note("info", "fatal", v=str(error))
        with suppress(*_DEAD):
            producer.purge()
            producer.flush(5)


def _send(work: Work, proc: str, producer: Producer, number: int) -> None:
    said: dict[str, Any] = {"topic": LOG, "partition": number % PARTITIONS[LOG], "v": f"{proc}-{number}"}

    def told(error: object, message: Message) -> None:
        work.recorder.note("info" if error else "ok", "send", **said, off=message.offset() or 0)

    work.recorder.note("invoke", "send", **said)
    filler = {"filler": b"." * work.dice.randrange(400)}
    producer.produce(LOG, said["v"].encode(), partition=said["partition"], headers=filler, on_delivery=told)


def putter(work: Work) -> None:
    """New values and tombstones of a few keys, compressed, to a compacted topic."""
    lives = 0

    def put(producer: Producer, number: int) -> None:
        key = f"k{work.dice.randrange(60)}"
        _put(work, producer, key, None if work.dice.random() < 0.1 else f"{key}.{lives}-{number}")

    while not work.ended.is_set():
        lives += 1
        _produce(work, {"compression.type": "gzip", "linger.ms": 15}, put)


def _put(work: Work, producer: Producer, key: str, value: str | None) -> None:
    said: dict[str, Any] = {
        "topic": TABLE,
        "partition": int(key[1:]) % PARTITIONS[TABLE],
        "k": key,
        "v": value,
    }

    def told(error: object, message: Message) -> None:
        work.recorder.note("info" if error else "ok", "put", **said, off=message.offset() or 0)

    work.recorder.note("invoke", "put", **said)
    producer.produce(
        TABLE, value and value.encode(), key.encode(), partition=said["partition"], on_delivery=told
    )


def transactor(work: Work) -> None:
    """Transactions over several partitions with one offset of a group each; every fifth is aborted."""
    reader = Consumer(work.settings(**_PATIENT, **{"group.id": COPIERS}))
    group = reader.consumer_group_metadata()
    proc, number = f"t{work.seed}", 0
    producer: Producer | None = None
    while not work.ended.is_set():
        try:
            producer = producer or _transactional(work)
        except KafkaException:
            work.ended.wait(0.1)
            continue
        values = tuple(f"{proc}.{number}-{index}" for index in range(work.dice.randrange(2, 9)))
        said = {"topic": SLOTS, "partition": number % PARTITIONS[SLOTS], "off": number, "k": COPIERS}
        said |= {"v": f"{proc}.{number}", "vs": values}
        work.recorder.note("invoke", "txn", **said)
        outcome = _transaction(work, producer, group, said)
        work.recorder.note(outcome, "txn", **said)
        producer = None if outcome == "info" else producer
        number += 1
    if producer is None:  # a new instance ends what the old one left open
        while True:
            try:
                _transactional(work)
                break
            except KafkaException:
                work.ended.wait(0.1)
    reader.close()


def _transactional(work: Work) -> Producer:
    settings = {"transactional.id": "copier", "transaction.timeout.ms": 20_000, "linger.ms": 1}
    producer = Producer(work.settings(**_PATIENT, **settings))
    producer.init_transactions(30)
    return producer


def _transaction(work: Work, producer: Producer, group: object, said: Mapping[str, Any]) -> Any:
    """`ok` when committed, `fail` when aborted, `info` when the producer is dead and nobody knows."""
    aborts = work.dice.random() < 0.2
    try:
        producer.begin_transaction()
        for value in said["vs"]:
            producer.produce(TXN, value.encode(), partition=work.dice.randrange(PARTITIONS[TXN]))
        position = TopicPartition(SLOTS, said["partition"], said["off"])
        _insist(lambda: producer.send_offsets_to_transaction([position], group, 10))
        if not aborts:
            _insist(lambda: producer.commit_transaction(10))
            return "ok"
    except KafkaException as error:
        if not error.args[0].txn_requires_abort():
            return "info"
    try:
        _insist(lambda: producer.abort_transaction(10))
    except KafkaException:
        return "info"
    return "fail"


def _insist(step: Callable[[], object]) -> None:
    """Do a step of a transaction, again while the client says that this is safe. Raises KafkaException."""
    while True:
        try:
            step()
            return
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def reader(work: Work) -> None:
    """A member of a group: what it gets, and the positions it commits and is told are committed."""
    settings = {
        "group.id": READERS,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "heartbeat.interval.ms": 300,
        "fetch.wait.max.ms": 100,
    }
    consumer = Consumer(work.settings(**_PATIENT, **settings))

    def assigned(_: Consumer, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            work.recorder.note("ok", "assign", topic=place.topic, partition=place.partition)

    consumer.subscribe([LOG, TXN], on_assign=assigned)
    at: dict[tuple[str, int], int] = {}
    while not work.ended.is_set():
        for message in consumer.consume(300, 0.1):
            if not message.error():
                _polled(work, message)
                at[message.topic(), message.partition()] = message.offset() + 1
        if at:
            _commit(work, consumer, READERS, at)
            at = {}
    consumer.close()


def _polled(work: Work, message: Message) -> None:
    value = message.value()
    work.recorder.note(
        "ok",
        "poll",
        topic=message.topic(),
        partition=message.partition(),
        off=message.offset(),
        v=value if value is None else value.decode(),
    )


def _commit(work: Work, consumer: Consumer, group: str, at: Mapping[tuple[str, int], int]) -> None:
    said = [
        {"k": group, "topic": topic, "partition": part, "off": offset} for (topic, part), offset in at.items()
    ]
    for one in said:
        work.recorder.note("invoke", "commit", **one)
    outcome: Any = "ok"
    try:
        positions = [TopicPartition(*place, offset) for place, offset in at.items()]
        told = consumer.commit(offsets=positions, asynchronous=False) or []
        outcome = "info" if any(place.error for place in told) else "ok"
    except KafkaException:
        outcome = "info"
    for one in said:
        work.recorder.note(outcome, "commit", **one)


def keeper(work: Work) -> None:
    """Positions of groups without members, written as fast as they are acknowledged."""
    consumer = Consumer(work.settings(**_PATIENT, **{"group.id": KEEPERS, "socket.timeout.ms": 3000}))
    number = 0
    while not work.ended.is_set():
        number += 1
        _commit(work, consumer, KEEPERS, {(SLOTS, number % PARTITIONS[SLOTS]): number})
        work.ended.wait(0.005)
    consumer.close()


def maker(work: Work) -> None:
    """Topics made and deleted, the same names again and again; a new one must begin at offset 0."""
    admin = AdminClient(work.settings(**_PATIENT))
    there: set[str] = set()
    while not work.ended.is_set():
        name = f"made-{work.dice.randrange(8)}"
        f = "delete" if name in there else "create"
        work.recorder.note("invoke", f, topic=name)
        outcome = _made(admin, f, name)
        work.recorder.note(outcome, f, topic=name)
        if outcome == "ok":
            there ^= {name}
        elif outcome == "info":
            there = set(admin.list_topics(timeout=30).topics)
        work.ended.wait(0.02)


def _made(admin: AdminClient, f: str, name: str) -> Any:
    made = (
        admin.create_topics([NewTopic(name, 2, 1)], request_timeout=5)
        if f == "create"
        else admin.delete_topics([name], request_timeout=5)
    )
    try:
        made[name].result(20)
    except KafkaException:
        return "info"
    return "ok"


WORKERS: Mapping[str, Callable[[Work], None]] = {
    work.__name__: work for work in (sender, putter, transactor, reader, keeper, maker)
}


def main() -> int:
    """Run one worker until standard input ends."""
    parser = argparse.ArgumentParser(prog="tests.faults.load")
    parser.add_argument("worker", choices=sorted(WORKERS))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    with Recorder(options.history, options.worker) as recorder:
        work = Work(options.bootstrap, recorder, options.seed)

        def wait_for_the_end() -> None:
            os.read(sys.stdin.fileno(), 1)
            work.ended.set()

        threading.Thread(target=wait_for_the_end, daemon=True).start()
        WORKERS[options.worker](work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
