"""Running a windowed stream: take a batch, count it, publish the windows, keep the totals, acknowledge.

In this order, because each step may be the last before a crash: windows that are published but not kept are
counted and published again; windows that are kept were published. The worker lives or dies as a whole:
whatever goes wrong that is not one event's fault ends it, and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.interfaces import Message, Sender
from mesh.streams.model import Stop, WindowedStream
from mesh.streams.order import Resumption
from mesh.streams.records import Grave, Record
from mesh.streams.runtime import CONCURRENCY, Runtime, faust_runtime
from mesh.streams.totals import Counted, Place, WindowTotals
from mesh.streams.watchdog import Watchdog

if TYPE_CHECKING:
    from mesh.port import OutputPort
    from mesh.publisher import Publisher
    from mesh.subscription import Decoder

BATCH = 8_000
WITHIN_SECONDS = 0.25
TICK_SECONDS = 0.2
STOP_SECONDS = 8.0


def run_stream(
    stream: WindowedStream[Any],
    *,
    bootstrap: str,
    source: OutputPort,
    decoder: Decoder,
    publish: Publisher,
    sender: Sender,
    group: str,
    state_dir: Path,
    stop: Stop,
) -> None:
    """Run until `stop`; raises what ended it before: MeshError, or the stream's own error.

    Raises MeshError with exit code 70 (MESH-M071) when events wait and none is handled for a minute.
    """
    runtime = faust_runtime(bootstrap, source.topic, group, state_dir)
    grave = Grave(source, sender, group)
    asyncio.run(_Worker(runtime, stream, decoder, publish, sender, grave).run(stop))


@dataclass(slots=True)
class _Worker:
    runtime: Runtime
    stream: WindowedStream[Any]
    decoder: Decoder
    publish: Publisher
    sender: Sender
    grave: Grave
    handling: asyncio.Lock = field(default_factory=asyncio.Lock)
    failure: BaseException | None = None

    async def run(self, stop: Stop) -> None:
        app, table = self.runtime.app, self.runtime.table
        totals = WindowTotals(self.stream, table.data)

        async def recovered() -> None:
            totals.recovered()

        table.on_recover(recovered)
        app.agent(self.runtime.source, concurrency=CONCURRENCY, name="windows")(
            lambda records: self._handle(records, totals)
        )
        watchdog = Watchdog(app, self.runtime.source.get_topic_name(), totals.position)
        await app.start()
        try:
            while not stop.is_set() and self.failure is None and not app.should_stop:
                await watchdog.look()
                await asyncio.sleep(TICK_SECONDS)
            if self.failure is None and app.should_stop and not stop.is_set():
                self.failure = app.crash_reason or RuntimeError("Faust stopped by itself")
        finally:
            await self._stop()
        if self.failure is not None:
            raise self.failure

    async def _handle(self, records: Any, totals: WindowTotals[Any]) -> None:
        resumption = Resumption(totals.position)
        async for events in records.take_events(BATCH, within=WITHIN_SECONDS):
            async with self.handling:
                try:
                    await self._batch(events, totals, resumption)
                except Exception as error:
                    self.failure = error
            if self.failure is not None:
                # To return would acknowledge the batch; the worker is about to end.
                await asyncio.Event().wait()

    async def _batch(self, events: Sequence[Any], totals: WindowTotals[Any], resumption: Resumption) -> None:
        app = self.runtime.app
        incoming = [Record(event.message) for event in events]
        generation = events[-1].message.generation_id
        records, back = resumption.sift(incoming, generation)
        for partition, offset in back.items():
            await app.consumer.seek(_partition(self.runtime, partition), offset)
        if not records:
            return
        # In a thread, so that the event loop stays awake; heartbeats have a thread of their own.
        await asyncio.to_thread(self._step, records, totals)

    def _step(self, records: list[Record], totals: WindowTotals[Any]) -> None:
        ends: dict[int, int] = {}
        for record in records:
            ends[record.partition()] = max(record.offset() + 1, ends.get(record.partition(), 0))
        batch, poison = self.decoder.decode(records)
        if poison:
            self.grave.bury(poison)
        counted = totals.count(batch.events, _places(batch.messages), ends)
        if counted.windows:
            self.publish.many([self.stream.to_event(key, found) for key, found in counted.windows.items()])
            self.publish.flush()
        self._write(counted)
        totals.keep(counted)

    def _write(self, counted: Counted[Any]) -> None:
        """Write the changes to the changelog, in the JSON that Faust recovers; back when they are safe there."""
        keys = [json.dumps(name).encode() for name in counted.entries]
        values = [json.dumps(entry, separators=(",", ":")).encode() for entry in counted.entries.values()]
        none: list[list[tuple[str, bytes | None]]] = [[]] * len(keys)
        self.sender.send(self.runtime.table.changelog_topic_name, keys, values, none, [0] * len(keys))
        self.sender.flush()

    async def _stop(self) -> None:
        """Let the batch at hand come to its end, then leave the group."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                async with self.handling:
                    await self.runtime.app.stop()
        except TimeoutError:
            pass


def _places(messages: Sequence[Message]) -> list[Place]:
    return [(message.partition(), message.offset()) for message in messages]


def _partition(runtime: Runtime, partition: int) -> Any:
    from faust.types import TP

    return TP(runtime.source.get_topic_name(), partition)
