"""Running a windowed stream: take a batch, count it, publish the windows, keep the totals, acknowledge.

In this order, because each step may be the last before a crash: windows that are published but not kept are
counted and published again; windows that are kept were published. The worker lives or dies as a whole:
whatever goes wrong that is not one event's fault ends it, and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.interfaces import Message, Sender
from mesh.streams.model import Stop, WindowedStream
from mesh.streams.records import Grave, Record, without_repeats
from mesh.streams.runtime import CONCURRENCY, Runtime, faust_runtime
from mesh.streams.totals import Counted, Place, WindowTotals
from mesh.streams.watchdog import Watchdog

if TYPE_CHECKING:
    from mesh.decoding import Decoder
    from mesh.port import OutputPort
    from mesh.publishing import Publisher

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
    totals = WindowTotals(stream)
    runtime = faust_runtime(bootstrap, source.topic, group, state_dir, totals.position)
    worker = _Worker(runtime, totals, decoder, publish, sender, Grave(source, sender, group))
    asyncio.run(worker.run(stop))


@dataclass(slots=True)
class _Worker:
    runtime: Runtime
    totals: WindowTotals[Any]
    decoder: Decoder
    publish: Publisher
    sender: Sender
    grave: Grave
    handling: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Not asyncio's own, which would wait for a step to end even when its broker is gone.
    steps: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    failure: BaseException | None = None

    async def run(self, stop: Stop) -> None:
        app = self.runtime.app
        self.runtime.table.on_recover(self._recovered)
        app.on_partitions_revoked.connect(self._revoked)
        app.agent(self.runtime.source, concurrency=CONCURRENCY, name="windows")(self._handle)
        watchdog = Watchdog(app, self.runtime.source.get_topic_name(), self.totals.position)
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

    async def _recovered(self) -> None:
        async with self.handling:
            self.totals.recover(dict(self.runtime.table.data))

    async def _revoked(self, *_: Any, **__: Any) -> None:
        """Another worker may own the windows next: the batch at hand ends first."""
        async with self.handling:
            pass

    async def _handle(self, stream: Any) -> None:
        async for events in stream.take_events(BATCH, within=WITHIN_SECONDS):
            async with self.handling:
                records = self._current(events)
                try:
                    # In a thread, so that the event loop stays awake; heartbeats have one of their own.
                    await asyncio.get_running_loop().run_in_executor(self.steps, self._step, records)
                except Exception as error:
                    self.failure = error
            if self.failure is not None:
                # To return would have the agent started again; the worker is about to end.
                await asyncio.Event().wait()

    def _current(self, events: Sequence[Any]) -> list[Record]:
        """What a rebalance has not outdated; the rest is read again, here or elsewhere."""
        app = self.runtime.app
        generation = None if app.rebalancing else app.consumer_generation_id
        return [Record(event.message) for event in events if event.message.generation_id == generation]

    def _step(self, records: Sequence[Record]) -> None:
        once, ends = without_repeats(records)
        if not once:
            return
        batch, poison = self.decoder.decode(once)
        if poison:
            self.grave.bury(poison)
        counted = self.totals.count(batch.events, _places(batch.messages), ends)
        if counted.windows:
            self.publish.many(
                [self.totals.stream.to_event(key, found) for key, found in counted.windows.items()]
            )
            self.publish.flush()
        self._write(counted)
        self.totals.keep(counted)

    def _write(self, counted: Counted[Any]) -> None:
        """Write the changes to the changelog as the JSON that Faust recovers, and wait for them."""
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
