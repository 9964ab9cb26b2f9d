"""Faust, set up so that it keeps its promises: one place for every setting and what it prevents.

What is not left to Faust, and why (0.15.3):

- Its windows expire by the wall clock, so windows of past events would vanish as they fill: a plain table
  keeps the windows, named by their start.
- A table picks the changelog partition from the event at hand, of which a batch has many: the changelog has
  one partition, and so one order.
- Two workers would each hold half of a window: one worker of a group has all partitions, the others wait.
- With concurrency it commits past events in flight (faust-streaming/faust#606): one agent, one at a time.
- Its exactly-once guarantee is not used (#517); the kept offsets make counting idempotent instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONCURRENCY = 1
COMMIT_SECONDS = 1.0
SESSION_SECONDS = 10.0
HEARTBEAT_SECONDS = 2.0
POLL_RECORDS = 2_000
#: Faust sleeps for a second when its buffer is nearly full; so much must be left to handle meanwhile.
BUFFERED_EVENTS = 65_536


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Faust app with one source topic and one table."""

    app: Any
    source: Any
    table: Any


def faust_runtime(bootstrap: str, topic: str, group: str, state_dir: Path) -> Runtime:
    """Set Faust up; nothing is connected yet. Its files, if any, go under `state_dir`."""
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
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFERED_EVENTS,
        broker_commit_interval=COMMIT_SECONDS,
        broker_max_poll_records=POLL_RECORDS,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        consumer_auto_offset_reset="earliest",
        worker_redirect_stdouts=False,
        autodiscover=False,
    )
    app.finalize()
    source = app.topic(topic, key_serializer="raw", value_serializer="raw")
    table = app.Table("windows", partitions=1)
    # The cluster's own default; as a setting Faust would refuse it.
    table.changelog_topic.replicas = -1
    return Runtime(app, source, table)


def read_from(runtime: Runtime, position: Callable[[int], int | None]) -> None:
    """Let the reading begin, and begin again after each rebalance, at the next offset of each partition.

    Where `position` knows none, the group's committed offset counts, or the beginning.
    """
    runtime.app.transport.Consumer = _positioned_consumer(position)


def _positioned_consumer(position: Callable[[int], int | None]) -> type[Any]:
    from faust.transport.drivers.aiokafka import Consumer
    from mode.services import WaitResults

    class PositionedConsumer(Consumer):  # type: ignore[misc]
        """Goes on where the totals stand, and hands messages over without detours."""

        async def seek_to_committed(self) -> Any:
            """Faust acknowledges what it skips, and what a stopped agent held: its commits may run ahead."""
            found = dict(await super().seek_to_committed())
            kept = {tp: position(tp.partition) for tp in found if not self._is_changelog_tp(tp)}
            known = {tp: offset for tp, offset in kept.items() if offset is not None}
            await self._thread.seek_wait(known)
            return {**found, **known}

        async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
            """Faust makes four tasks of each message, to be able to stop between them; here nothing waits."""
            if len(coros) != 2 or not (self.flow_active and self.app.flow_control.is_active()):
                return await super().wait_first(*coros, timeout=timeout)
            handing_over, suspension = coros
            suspension.close()
            return WaitResults([handing_over], [await handing_over], False)

    return PositionedConsumer


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
            def holds(member: str) -> bool:
                return not self._get_client_metadata(members[member]).assignment.actives

            candidates: Iterable[str] = sorted(members, key=lambda member: (holds(member), member))
            return next(iter(candidates))

    return OneActive
