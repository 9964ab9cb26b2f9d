"""The quality worker: every product's new events, window by window, through its suite; results are published.

One process, one consumer per topic, round and round. A window's results are acknowledged before its
position is committed, so a crash repeats a window and never skips one. Run one worker per mesh.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh.adapters.kafka_receiver import BoundedReceiver
from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.contract.refinement import with_schema
from mesh.decoding import Decoder
from mesh.errors import MeshError, UnreachableError
from mesh.plan.actual import ContractFacts, TopicFacts
from mesh_platform.quality.budget import Overtime, time_budget
from mesh_platform.quality.expectations import warm_up
from mesh_platform.quality.model import CheckResult
from mesh_platform.quality.receiver import AssignedReceiver
from mesh_platform.quality.results import CONTRACT_ID, PRODUCT, readability, rows_of
from mesh_platform.quality.suite import Suite
from mesh_platform.quality.tables import LatestEvents
from mesh_platform.quality.windows import ObservedPort, Pace, TopicReader, Window

if TYPE_CHECKING:
    from mesh.connection import Mesh
    from mesh.publishing import Publisher

GROUP = "mesh.quality"
LOOK_SECONDS = 2.0
IDLE_SECONDS = 0.1
WINDOW_BUDGET_SECONDS = 30.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    """One contract in force, its suite and the reading of its topic."""

    sha256: str
    partitions: int
    contract: Contract
    suite: Suite
    reader: TopicReader


class Worker:
    """Checks what is in force. Raises UnreachableError after a minute without broker or platform."""

    def __init__(self, mesh: Mesh, publish: Publisher, pace: Pace) -> None:
        self._mesh = mesh
        self._broker = mesh.world().broker
        self._publish = publish
        self._pace = pace
        self._watched: dict[str, Watched] = {}
        self._looked = -LOOK_SECONDS
        self._down_since: float | None = None

    def run(self, going_on: Callable[[], bool]) -> None:
        """Until told to stop; an unfinished window is left for the next start."""
        try:
            while going_on():
                try:
                    came = self._turn(going_on)
                    self._down_since = None
                except UnreachableError as error:
                    self._patience(error)
                    came = 0
                if not came:
                    time.sleep(IDLE_SECONDS)
        finally:
            for watched in self._watched.values():
                watched.reader.close()

    def _turn(self, going_on: Callable[[], bool]) -> int:
        """Look at each topic once; how many records came."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._look(going_on)
            self._looked = time.monotonic()
        came = 0
        for contract_id, watched in list(self._watched.items()):
            if not going_on():
                break
            try:
                count, window = watched.reader.poll(0.0)
            except UnreachableError:
                raise
            except Exception as error:
                # One topic that cannot be read stops no other; it is taken up again at the next look.
                _say(f"{contract_id} is left alone for now: {error}")
                self._forget(contract_id)
                continue
            came += count
            if window is not None:
                self._check(watched, window)
        return came

    def _check(self, watched: Watched, window: Window) -> None:
        if watched.reader.is_stream and not window.unreadable and not window.events.num_rows:
            watched.reader.done()
            return
        results = [readability(window), *checked(watched.suite, window)]
        rows = list(rows_of(watched.contract, results, window, datetime.now(UTC)))
        try:
            self._publish.many(rows)
            self._publish.flush()
        except MeshError as error:
            # To go on would commit past a window nobody heard of: the next start repeats it.
            raise MeshError(
                "quality results could not be published",
                code="MESH-K035",
                where=PRODUCT,
                why=f"{error.what}: {error.why}",
                fix="mesh status",
            ) from error
        watched.reader.done()

    def _look(self, going_on: Callable[[], bool]) -> None:
        """Take up new contracts and new versions; let go of what is no longer there."""
        contracts = self._mesh.platform.contracts()
        topics = self._broker.topics()
        for contract_id, watched in list(self._watched.items()):
            facts, topic = contracts.get(contract_id), topics.get(watched.contract.topic)
            same = facts is not None and facts.sha256 == watched.sha256
            if not same or topic is None or topic.partitions != watched.partitions:
                self._forget(contract_id)
        for contract_id, facts in contracts.items():
            if contract_id not in self._watched and contract_id != CONTRACT_ID and going_on():
                self._take_up(facts, topics)

    def _take_up(self, facts: ContractFacts, topics: Mapping[str, TopicFacts]) -> None:
        try:
            contract = read_contract(facts.text.encode(), f"{facts.id}@{facts.version}")
            contract = with_schema(contract, facts.avro)
            topic = topics.get(contract.topic)
            if topic is None:
                return
            port = ObservedPort(contract, self._mesh.settings.codec)
            decoder = Decoder(port, self._mesh.registry)
            table = self._table(port, decoder) if "compact" in contract.settings.cleanup_policy else None
            suite = Suite(contract)
        except UnreachableError:
            raise
        except Exception as error:
            _say(f"{facts.id} {facts.version} cannot be checked: {error}")
            return
        receiver = AssignedReceiver(self._mesh.settings.bootstrap, port.topic, GROUP, topic.partitions)
        reader = TopicReader(port, decoder, receiver, self._pace, time.monotonic, table)
        self._watched[facts.id] = Watched(facts.sha256, topic.partitions, contract, suite, reader)

    def _table(self, port: ObservedPort, decoder: Decoder) -> LatestEvents:
        table = LatestEvents(port.codec.arrow_schema)
        table.read(BoundedReceiver(self._mesh.settings.bootstrap, port.topic), decoder)
        return table

    def _forget(self, contract_id: str) -> None:
        self._watched.pop(contract_id).reader.close()

    def _patience(self, error: UnreachableError) -> None:
        now = time.monotonic()
        if self._down_since is None:
            self._down_since = now
            _say(error.what)
        if now - self._down_since > PATIENCE_SECONDS:
            raise error


def checked(suite: Suite, window: Window) -> tuple[CheckResult, ...]:
    """A suite's results over a window; all unknown when it takes longer than its budget."""
    try:
        with time_budget(WINDOW_BUDGET_SECONDS):
            return suite.run(window.events)
    except Overtime as overtime:
        return suite.unknown(window.events.num_rows, str(overtime))


def run_worker(mesh: Mesh, pace: Pace, going_on: Callable[[], bool], ready: Callable[[], None]) -> None:
    """Declare the results' product if need be, say so by `ready`, and check until told to stop."""
    from mesh_platform.quality.declared import ensure_declared

    ensure_declared(mesh)
    warm_up()
    with mesh.publisher(PRODUCT) as publish:
        ready()
        Worker(mesh, publish, pace).run(going_on)


def _say(text: str) -> None:
    print(f"quality: {text}", file=sys.stderr, flush=True)
