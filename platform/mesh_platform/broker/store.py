"""What the broker knows beside the records, in one SQLite file: topics, ids, committed offsets, groups,
transactions.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import PlanError

#: of everything in the data folder; raised with a named step that brings older folders up
FORMAT = 1
STORE_FILE = "broker.sqlite"
_META = "create table if not exists meta (key text primary key, value text not null) without rowid"
_TABLES = """
create table if not exists topics (
    name text primary key, id text not null, partitions integer not null, config text not null) without rowid;
create table if not exists commits (
    group_id text, topic text, partition integer, offset integer not null, leader_epoch integer not null,
    metadata text not null, primary key (group_id, topic, partition)) without rowid;
create table if not exists groups (group_id text primary key, state text not null) without rowid;
create table if not exists transactions (id text primary key, state text not null) without rowid;
create table if not exists pending_commits (
    transactional_id text, group_id text, topic text, partition integer, offset integer not null,
    leader_epoch integer not null, metadata text not null,
    primary key (transactional_id, group_id, topic, partition)) without rowid;
"""

TopicRow = tuple[str, uuid.UUID, int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Commit:
    """A group's committed position on one partition."""

    topic: str
    partition: int
    offset: int
    leader_epoch: int
    metadata: str


class Store:
    """Every method that writes has written when it returns. Raises sqlite3.Error, as on a full disk."""

    def __init__(self, path: Path, *, synchronous: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        with contextlib.ExitStack() as held:
            held.callback(self._db.close)
            self._prepare(path, synchronous)
            held.pop_all()

    def _prepare(self, path: Path, synchronous: str) -> None:
        self._db.execute("pragma journal_mode = wal")
        self._db.execute(f"pragma synchronous = {synchronous}")
        if (damage := self._db.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(damage)
        self._db.execute(_META)
        self._check_format(path)
        self._db.executescript(_TABLES)
        self.cluster_id = self._meta("cluster_id", base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode())

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin")
        try:
            yield
            self._db.execute("commit")
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    def _meta(self, key: str, first: str) -> str:
        self._db.execute("insert or ignore into meta values (?, ?)", (key, first))
        row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(row[0])

    def _check_format(self, path: Path) -> None:
        found = self._meta("format", str(FORMAT))
        if found != str(FORMAT):
            raise PlanError(
                "this data folder was written by a newer broker",
                code="MESH-P105",
                where=str(path.parent),
                why=f"it has format {found}; this broker knows format {FORMAT}",
                fix="upgrade mesh to what wrote it, or name another folder with --data",
            )

    def next_producer_id(self) -> int:
        """A producer id that was never given out before."""
        producer_id = int(self._meta("next_producer_id", "1000"))
        self._db.execute("update meta set value = ? where key = 'next_producer_id'", (str(producer_id + 1),))
        return producer_id

    # Topics

    def topics(self) -> list[TopicRow]:
        rows = self._db.execute("select name, id, partitions, config from topics order by name")
        return [(name, uuid.UUID(hexed), count, json.loads(config)) for name, hexed, count, config in rows]

    def save_topic(self, name: str, topic_id: uuid.UUID, partitions: int, config: Mapping[str, str]) -> None:
        row = (name, str(topic_id), partitions, json.dumps(dict(config)))
        self._db.execute("insert or replace into topics values (?, ?, ?, ?)", row)

    def delete_topic(self, name: str) -> None:
        with self._transaction():
            self._db.execute("delete from topics where name = ?", (name,))
            self._db.execute("delete from commits where topic = ?", (name,))
            self._db.execute("delete from pending_commits where topic = ?", (name,))

    # Committed offsets

    def commits(self, group_id: str) -> dict[tuple[str, int], Commit]:
        query = "select topic, partition, offset, leader_epoch, metadata from commits where group_id = ?"
        found = (Commit(*row) for row in self._db.execute(query, (group_id,)))
        return {(c.topic, c.partition): c for c in found}

    def save_commits(self, group_id: str, commits: Iterable[Commit]) -> None:
        rows = [(group_id, c.topic, c.partition, c.offset, c.leader_epoch, c.metadata) for c in commits]
        with self._transaction():
            self._db.executemany("insert or replace into commits values (?, ?, ?, ?, ?, ?)", rows)
            # What came later counts: an offset that waits for a transaction must not bring it back.
            self._db.executemany(
                "update pending_commits set offset = ?4, leader_epoch = ?5, metadata = ?6"
                " where group_id = ?1 and topic = ?2 and partition = ?3",
                rows,
            )

    def delete_commits(self, group_id: str, partitions: Iterable[tuple[str, int]]) -> None:
        rows = [(group_id, topic, partition) for topic, partition in partitions]
        with self._transaction():
            for table in ("commits", "pending_commits"):
                self._db.executemany(
                    f"delete from {table} where group_id = ? and topic = ? and partition = ?",  # noqa: S608
                    rows,
                )

    # Groups

    def groups(self) -> dict[str, str]:
        """Saved group states, and an empty one for each group that has only committed offsets."""
        states = dict.fromkeys(
            (r[0] for r in self._db.execute("select distinct group_id from commits")), "{}"
        )
        return states | dict(self._db.execute("select group_id, state from groups"))

    def save_group(self, group_id: str, state: str) -> None:
        self._db.execute("insert or replace into groups values (?, ?)", (group_id, state))

    def delete_group(self, group_id: str) -> None:
        with self._transaction():
            self._db.execute("delete from groups where group_id = ?", (group_id,))
            self._db.execute("delete from commits where group_id = ?", (group_id,))
            self._db.execute("delete from pending_commits where group_id = ?", (group_id,))

    # Transactions

    def transactions(self) -> dict[str, str]:
        return dict(self._db.execute("select id, state from transactions"))

    def save_transaction(self, name: str, state: str, fate: str | None) -> None:
        """Save a state; with it, the offsets that wait for the transaction are kept (commit) or dropped."""
        with self._transaction():
            self._db.execute("insert or replace into transactions values (?, ?)", (name, state))
            if fate == "commit":
                self._db.execute(
                    "insert or replace into commits select group_id, topic, partition, offset, leader_epoch,"
                    " metadata from pending_commits where transactional_id = ?",
                    (name,),
                )
            if fate is not None:
                self._db.execute("delete from pending_commits where transactional_id = ?", (name,))

    def forget_transaction(self, name: str) -> None:
        self._db.execute("delete from transactions where id = ?", (name,))

    def save_pending_commits(self, name: str, group_id: str, commits: Iterable[Commit]) -> None:
        """Offsets that count once the transaction commits."""
        rows = [(name, group_id, c.topic, c.partition, c.offset, c.leader_epoch, c.metadata) for c in commits]
        with self._transaction():
            self._db.executemany("insert or replace into pending_commits values (?, ?, ?, ?, ?, ?, ?)", rows)

    def pending(self, group_id: str) -> set[tuple[str, int]]:
        """Partitions with an offset that waits for a transaction."""
        query = "select topic, partition from pending_commits where group_id = ?"
        return {(topic, partition) for topic, partition in self._db.execute(query, (group_id,))}
