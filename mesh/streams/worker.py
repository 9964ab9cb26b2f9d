"""Running a stream: take a batch, add it up, and let totals, positions and events count in one transaction.

The worker lives or dies as a whole. What may pass is tried again; whatever else goes wrong that is not one
event's fault ends it, and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mesh.errors import UnreachableError
from mesh.figures import Figures
from mesh.interfaces import Sender, Transactional
from mesh.streams.model import Stateful, Stop
from mesh.streams.outlet import Outlet, TakenBack, changelog_json
from mesh.streams.records import Record, without_gaps, without_repeats
from mesh.streams.runtime import Pace, Runtime, faust_runtime
from mesh.streams.state import TAKEN_OVER, State
from mesh.streams.watchdog import Watchdog

if TYPE_CHECKING:
    from mesh.decoding import Decoder
    from mesh.port import OutputPort
    from mesh.publishing import Publisher

TICK_SECONDS = 0.2
STOP_SECONDS = 8.0
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)

Tables = Mapping[str, Callable[[], pa.Table]]


def run_stream(
    stream: Stateful[Any, Any],
    *,
    bootstrap: str,
    source: OutputPort,
    decoder: Decoder,
    tables: Tables,
    transactions: Callable[[], Transactional],
    publisher: Callable[[Sender], Publisher],
    group: str,
    state_dir: Path,
    stop: Stop,
    pace: Pace | None = None,
    figures: Figures | None = None,
) -> None:
    """Run until `stop`; raises what ended it before: MeshError, or the stream's own error.

    Raises MeshError with exit code 70 (MESH-M071) when events wait and none is handled for a minute.
    """
    pace, figures = pace or Pace(), figures or Figures()
    worker = _Worker(stream, decoder, [tables[name] for name in stream.tables], pace, figures)
    runtime = faust_runtime(
        bootstrap,
        source.topic,
        group,
        state_dir,
        worker.state.position,
        worker.take_over,
        pace,
    )
    outlet = Outlet(
        transactions, publisher, source.dead_letters, runtime.table.changelog_topic_name, group, figures
    )
    asyncio.run(worker.run(runtime, outlet, stop))


class _Worker:
    def __init__(
        self,
        stream: Stateful[Any, Any],
        decoder: Decoder,
        tables: Sequence[Callable[[], pa.Table]],
        pace: Pace,
        figures: Figures,
    ) -> None:
        self.stream = stream
        self.state = State(stream)
        self.decoder = decoder
        self.tables = tables
        self.pace = pace
        self.figures = figures
        self.handling = asyncio.Lock()
        #: Not asyncio's own, which would wait for a step to end even when its broker is gone.
        self.steps = ThreadPoolExecutor(1)
        self.failure: BaseException | None = None
        self.runtime: Runtime
        self.outlet: Outlet

    async def run(self, runtime: Runtime, outlet: Outlet, stop: Stop) -> None:
        self.runtime, self.outlet = runtime, outlet
        app = runtime.app
        runtime.table.on_recover(self._recovered)
        app.on_partitions_revoked.connect(self._revoked)
        app.agent(runtime.source, concurrency=self.stream.concurrency, name="windows")(self._handle)
        watchdog = Watchdog(app, runtime.source.get_topic_name(), self.state.position)
        await app.start()
        try:
            while not stop.is_set() and self.failure is None and not app.should_stop:
                await watchdog.look()
                self.figures.step()
                self.figures.lag, self.figures.partitions = watchdog.lag, watchdog.partitions
                await asyncio.sleep(TICK_SECONDS)
            if self.failure is None and app.should_stop and not stop.is_set():
                self.failure = app.crash_reason or RuntimeError("Faust stopped by itself")
        finally:
            await self._stop()
        if self.failure is not None:
            raise self.failure

    async def take_over(self) -> None:
        """Shut out whoever had the partitions before, so that what is recovered next is all there is."""
        try:
            topic = self.runtime.table.changelog_topic
            await topic.maybe_declare()
            await self._in_thread(self.outlet.take_over)
            now = datetime.now(UTC).isoformat()
            await self.runtime.app.producer.send_and_wait(
                topic.get_topic_name(), changelog_json(TAKEN_OVER), changelog_json(now), 0, None, None
            )
        except Exception as error:
            # Faust would go on without; the worker ends instead.
            self.failure = error

    async def _recovered(self) -> None:
        async with self.handling:
            self.state.recover(dict(self.runtime.table.data))

    async def _revoked(self, *_: Any, **__: Any) -> None:
        """Another worker may own the totals next: the batch at hand ends first."""
        async with self.handling:
            pass

    async def _handle(self, stream: Any) -> None:
        async for events in stream.take_events(self.pace.events, within=self.pace.within_seconds):
            tries = 0
            while not await self._handled(events):
                # To return would have the agent started again; a worker that has failed is about to end.
                await asyncio.sleep(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)])
                tries += 1

    async def _handled(self, events: Sequence[Any]) -> bool:
        """Whether a batch is done with; if not, it has left nothing behind."""
        async with self.handling:
            if self.failure is not None:
                return False
            try:
                # In a thread, so that the event loop stays awake; heartbeats have one of their own.
                await self._in_thread(self._step, self._current(events))
            except TakenBack as error:
                logging.getLogger("mesh.streams").warning("a batch is tried again: %s", error)
                self.figures.fail(f"a batch is tried again: {error}")
                return False
            except Exception as error:
                self.failure = error
                return False
        self.figures.trouble = ""
        return True

    def _current(self, events: Sequence[Any]) -> list[Record]:
        """What a rebalance has not outdated, without a gap; the rest is read again, here or elsewhere."""
        app = self.runtime.app
        generation = None if app.rebalancing else app.consumer_generation_id
        records = [Record(event.message) for event in events if event.message.generation_id == generation]
        joined, whole = without_gaps(records, self._stand, app.consumer.follows)
        if not whole:
            app.consumer.read_again()
        return joined

    def _stand(self, partition: int) -> int:
        kept = self.state.position(partition)
        return self.runtime.app.consumer.begun.get(partition, 0) if kept is None else kept

    def _step(self, records: Sequence[Record]) -> None:
        once, ends = without_repeats(records, self.state.position)
        if not once:
            return
        try:
            batch, poison = self.decoder.decode(once)
            tables = [look() for look in self.tables]
        except UnreachableError as error:
            raise TakenBack(str(error)) from error
        changes = self.state.count(batch.events, ends, tables)
        unfit = [(batch.messages[row], error) for row, error in changes.unfit]
        self.outlet.write(changes, [*poison, *unfit])
        self.state.keep(changes)
        self.figures.consumed += len(once)
        self._tell_late(changes.late)

    def _tell_late(self, late: int) -> None:
        if late:
            logging.getLogger("mesh.streams").warning(
                "events of %s windows came after these were forgotten; they are left out", late
            )

    async def _in_thread(self, step: Callable[..., None], *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self.steps, step, *arguments)

    async def _stop(self) -> None:
        """Let the batch at hand come to its end, then leave the group."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                async with self.handling:
                    await self.runtime.app.stop()
        except TimeoutError:
            pass
