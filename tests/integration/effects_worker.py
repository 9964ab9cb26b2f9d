"""A handler with an inbox that is killed where it is told to, in a process of its own each time.

    python -m tests.integration.effects_worker

Reads one run a line on standard input, forks for it, and says how it ended. Forking a process that has
imported everything and opened nothing makes a run begin in milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from dataclasses import dataclass
from typing import Any, cast

from mesh.adapters.kafka_receiver import GroupReceiver
from mesh.adapters.kafka_taking import CONSUMER
from mesh.config import Settings
from mesh.connection import Mesh
from mesh.decoding import Decoder
from mesh.handling import Event, Handling, Retries
from mesh.inbox import Inbox, Postgres, SQLite
from mesh.subscription import Subscription

__all__ = ["Decoder", "GroupReceiver", "Handling", "Subscription"]  # imported before the fork

TABLE = "create table if not exists effects (number integer primary key, event text, key blob, seq real)"
POSTGRES_TABLE = """create table if not exists effects
    (number bigint generated always as identity primary key, event text, key bytea, seq double precision)"""


@dataclass
class Death:
    """Kills this process the `count`-th time it comes to a stage; a stage nobody comes to is none."""

    stage: str
    count: int

    def at(self, stage: str) -> None:
        if stage == self.stage:
            self.count -= 1
            if self.count == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def opened(database: str) -> tuple[Any, Any, str]:
    """A connection with the table, its inbox, and how an effect is written."""
    insert = "insert into effects (event, key, seq) values (%s, %s, %s)"
    if database.startswith("postgresql:"):
        import psycopg

        shop = psycopg.connect(database, autocommit=True)
        shop.execute(POSTGRES_TABLE)
        return shop, Postgres(shop), insert
    connection = sqlite3.connect(database)
    connection.execute("pragma synchronous = off")  # what SIGKILL leaves to the system is not lost
    connection.execute(TABLE)
    connection.commit()
    return connection, SQLite(connection), insert.replace("%s", "?")


def run(spec: dict[str, Any]) -> None:
    # A member that was killed would keep its place for 45 s; one with a name is succeeded at once.
    dict.update(cast(dict[str, Any], CONSUMER), {"group.instance.id": "one"})
    death = Death(spec["stage"], spec["count"])
    connection, store, insert = opened(spec["database"])
    inbox = Inbox(store, spec["group"])
    failed: set[str] = set()

    def handle(event: Event) -> None:
        death.at("before the handler")
        if int(event["celsius"]) % 20 == 7 and event.id not in failed:
            failed.add(event.id)
            raise LookupError("not at the first time")
        with inbox.once(event.message) as first:
            if first:
                effect = (event.id, event.key, event["at"].timestamp())
                connection.execute(insert, effect)
            death.at("in the transaction")
        death.at("after the effect")

    def going_on() -> bool:
        death.at("before the commit")
        (effects,) = connection.execute("select count(*) from effects").fetchone()
        return bool(effects < spec["until"])

    with Mesh(Settings(**spec["settings"])) as mesh:
        retries = Retries(waits=(0, 0, 0))
        with mesh.handling(spec["product"], group=spec["group"], retries=retries) as handling:
            handling.each(handle, going_on, most=40)


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(json.loads(line))
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
