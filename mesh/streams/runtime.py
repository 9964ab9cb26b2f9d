"""Faust, set up so that it keeps its promises: one place for every setting and what it prevents.

What is not left to Faust, and why (0.15.3):

- Its windows expire by the wall clock, so windows of past events would vanish as they fill: a plain table
  keeps the windows, named by their start.
- A table picks the changelog partition from the event at hand, of which a batch has many: the changelog has
  one partition, and so one order.
- Two workers would each hold half of a window: one worker of a group has all partitions, the others wait.
- With concurrency it commits past events in flight (faust-streaming/faust#606): one agent, one at a time.
- How its consumer loses events, and how not: see `reading`.
- Its exactly-once guarantee is not used (#517): totals, positions and published events are one transaction of
  our own, see `outlet`.
- With tables in transactions its recovery waits ten seconds for a marker that it never sees: who takes over
  writes a plain record, which the changelog then ends with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.streams.reading import Position, TakeOver, consumer_class

COMMIT_SECONDS = 1.0
POLL_RECORDS = 2_000
#: Faust sleeps for a second when its buffer is nearly full; so much must be left to handle meanwhile.
BUFFERED_EVENTS = 65_536


@dataclass(frozen=True, slots=True)
class Pace:
    """How many events one transaction holds at most, and how soon a silent worker is given up."""

    events: int = 8_000
    within_seconds: float = 0.25
    session_seconds: float = 10.0
    heartbeat_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Faust app with one source topic and one table."""

    app: Any
    source: Any
    table: Any


def faust_runtime(
    bootstrap: str,
    topic: str,
    group: str,
    state_dir: Path,
    position: Position,
    take_over: TakeOver,
    pace: Pace,
) -> Runtime:
    """Set Faust up; nothing is connected yet. Its files, if any, go under `state_dir`.

    `take_over` is called before each recovery. The reading begins at `position`, after each rebalance too.
    """
    import faust

    app = faust.App(
        group,
        broker=[f"aiokafka://{server.strip()}" for server in bootstrap.split(",")],
        datadir=str(state_dir),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=True,
        table_standby_replicas=0,
        PartitionAssignor=_one_active(),
        TableManager=_prompt_tables(),
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFERED_EVENTS,
        broker_commit_interval=COMMIT_SECONDS,
        broker_max_poll_records=POLL_RECORDS,
        broker_session_timeout=pace.session_seconds,
        broker_heartbeat_interval=pace.heartbeat_seconds,
        consumer_auto_offset_reset="earliest",
        worker_redirect_stdouts=False,
        autodiscover=False,
    )
    app.finalize()
    app.transport.Consumer = consumer_class(position, take_over)
    source = app.topic(topic, key_serializer="raw", value_serializer="raw")
    table = app.Table("windows", partitions=1)
    # The cluster's own default; as a setting Faust would refuse it.
    table.changelog_topic.replicas = -1
    return Runtime(app, source, table)


def _prompt_tables() -> type[Any]:
    from faust.tables import TableManager

    class PromptTables(TableManager):  # type: ignore[misc]
        """Faust waits a second for tables that are declared late; here there is one, and it is there."""

        async def sleep(self, n: Any, **_: Any) -> None:
            """No wait."""

    return PromptTables


def _one_active() -> type[Any]:
    from faust.assignor.client_assignment import ClientAssignment
    from faust.assignor.partition_assignor import PartitionAssignor

    class OneActive(PartitionAssignor):  # type: ignore[misc]
        """All partitions to one member, who keeps them as long as it lives; the others stand by."""

        def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
            active = self._incumbent(member_metadata)
            assigned = super()._perform_assignment(cluster, {active: member_metadata[active]})
            others = {member for member in member_metadata if member != active}
            self._update_member_urls(
                {member: self._get_client_metadata(member_metadata[member]) for member in others}
            )
            idle = {member: ClientAssignment(actives={}, standbys={}) for member in others}
            return {**assigned, **self._protocol_assignments(idle, {}, {}, {})}

        def _incumbent(self, members: Any) -> str:
            def stands_by(member: str) -> bool:
                return not self._get_client_metadata(members[member]).assignment.actives

            return str(min(members, key=lambda member: (stands_by(member), member)))

    return OneActive
