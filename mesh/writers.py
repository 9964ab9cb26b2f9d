"""The schemas that events were written with, asked for with patience: an outage is no event's fault.

An id is settled when its schema came, or when the registry has said often and long enough that it knows none:
a replica may lag. Only that makes its events poison. Everything else, from a refused connection to a page of
HTML, is the registry's trouble and is asked again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter

from mesh.codec import Codec, codec_for
from mesh.codec.plain_reading import PlainReader, plain_reader
from mesh.codec.resolution import Resolution, resolution
from mesh.errors import EventError, MeshError, RegistryError, SchemaError, UnreachableError
from mesh.event import SchemaKey
from mesh.interfaces import Registry
from mesh.port import OutputPort

#: The registry's word for an id that it does not know; any other 404 is not about the id.
UNKNOWN_SCHEMA = 40403


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, how often and by whose clock a schema is asked for."""

    unknown_tries: int = 3
    unknown_seconds: float = 2.0  #: an unknown id counts as unknown after so many tries and seconds,
    unknown_for: float = 60.0  #: and is asked for again after this
    unknown_ids: int = 10_000
    pauses: tuple[float, float] = (0.25, 2.0)  #: between tries: the first, and the longest
    outage_seconds: float = 60.0  #: how long a reading that has nothing else to do waits in place
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.5, 1.0))


@dataclass(frozen=True, slots=True)
class Writer:
    """What events of one schema id are read with."""

    codec: Codec
    to_reader: Resolution
    few: PlainReader | None  #: for a few events, where reader and writer have one schema


@dataclass(slots=True)
class _Question:
    """An id that nobody has settled so far."""

    due: float
    tries: int = 0
    unknown_since: float | None = None
    unknown_tries: int = 0
    trouble: MeshError | None = None


class Writers:
    """Codecs by schema id. An `Asker` may ask in its own thread for what was sought in vain."""

    def __init__(self, port: OutputPort, registry: Registry, patience: Patience) -> None:
        self._port = port
        self._registry = registry
        self._patience = patience
        self.clock = patience.clock
        self._known: dict[SchemaKey, Writer] = {}
        self._unknown: dict[SchemaKey, tuple[EventError, float]] = {}
        self._questions: dict[SchemaKey, _Question] = {}

    def settled(self, schema_id: SchemaKey) -> Writer | EventError | None:
        """The writer of an id, or why its events cannot be read, or None while neither is known."""
        known = self._known.get(schema_id)
        if known is not None:
            return known
        error, until = self._unknown.get(schema_id, (None, 0.0))
        return error if self.clock() < until else None

    def sought(self, schema_ids: Collection[SchemaKey]) -> frozenset[SchemaKey]:
        """Those of these ids that are not settled. New ones are asked for once, until nobody answers."""
        for schema_id in schema_ids:
            if self.settled(schema_id) is None and schema_id not in self._questions:
                if self._away():
                    self._questions[schema_id] = _Question(self.clock())
                else:
                    self.ask(schema_id)
        return frozenset(i for i in schema_ids if self.settled(i) is None)

    def awaited(self, schema_id: SchemaKey) -> Writer | EventError:
        """As `settled`, waiting in place; raises UnreachableError when the registry stays away too long."""
        began = self.clock()
        while (found := self.settled(schema_id)) is None:
            question = self._questions.get(schema_id)
            if question is not None:
                if isinstance(question.trouble, UnreachableError) and self._given_up(began):
                    del self._questions[schema_id]
                    raise question.trouble
                self._patience.sleep(max(question.due - self.clock(), 0.0))
            self.ask(schema_id)
        return found

    def ask(self, schema_id: SchemaKey) -> None:
        """Ask the registry once. Raises RegistryError when it turns us away: that is no event's fault."""
        question = self._questions.setdefault(schema_id, _Question(self.clock()))
        question.tries += 1
        try:
            self._settle(schema_id, self._writer(schema_id))
        except UnreachableError as error:
            self._again(question, error)
        except RegistryError as error:
            if not error.status:  # it did answer, with something that no event can be read by
                self._settle(schema_id, _of_no_use(schema_id, error))
                return
            if error.registry_code != UNKNOWN_SCHEMA:
                del self._questions[schema_id]
                raise
            self._again(question, error)
            if self._is_unknown(question):
                self._settle(schema_id, _of_no_use(schema_id, error))
        except SchemaError as error:
            self._settle(schema_id, _of_no_use(schema_id, error))

    def due(self, wanted: Collection[SchemaKey]) -> SchemaKey | None:
        """The id whose turn it is to be asked for again, of those that are or were wanted."""
        for schema_id in wanted:
            self._questions.setdefault(schema_id, _Question(self.clock()))
        waiting = [(question.due, schema_id) for schema_id, question in self._questions.items()]
        if not waiting:
            return None
        due, first = min(waiting, key=itemgetter(0))
        return first if due <= self.clock() else None

    def why(self, schema_id: SchemaKey) -> str:
        """Why an id is not settled, in a sentence."""
        question = self._questions.get(schema_id)
        trouble = question.trouble if question else None
        return f"schema id {schema_id}: " + (f"{trouble.what}: {trouble.why}" if trouble else "asked for")

    def _writer(self, schema_id: SchemaKey) -> Writer:
        codec = codec_for(self._registry.schema(schema_id), self._port.engine)
        to_reader = resolution(codec, self._port.codec)
        return Writer(codec, to_reader, plain_reader(codec.reference) if to_reader.by == "same" else None)

    def _settle(self, schema_id: SchemaKey, found: Writer | EventError) -> None:
        if isinstance(found, Writer):
            self._known[schema_id] = found
        else:
            if len(self._unknown) >= self._patience.unknown_ids:
                self._unknown.clear()
            self._unknown[schema_id] = found, self.clock() + self._patience.unknown_for
        self._questions.pop(schema_id, None)

    def _again(self, question: _Question, trouble: MeshError) -> None:
        first, longest = self._patience.pauses
        pause = min(longest, first * 2 ** min(question.tries - 1, 16)) * self._patience.jitter()
        question.trouble, question.due = trouble, self.clock() + pause

    def _is_unknown(self, question: _Question) -> bool:
        now = self.clock()
        if question.unknown_since is None:
            question.unknown_since = now
        question.unknown_tries += 1
        enough = question.unknown_tries >= self._patience.unknown_tries
        return enough and now - question.unknown_since >= self._patience.unknown_seconds

    def _away(self) -> bool:
        return any(isinstance(one.trouble, UnreachableError) for one in list(self._questions.values()))

    def _given_up(self, began: float) -> bool:
        return self.clock() - began > self._patience.outage_seconds


class Asker:
    """Asks for schemas beside the reading, one at a time, so that other partitions need not wait."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers
        self._pool: ThreadPoolExecutor | None = None
        self._asking: Future[None] | None = None

    def look(self, wanted: Collection[SchemaKey]) -> None:
        """Ask for the next that is due. Raises RegistryError when the registry turned us away."""
        if self._asking is not None:
            if not self._asking.done():
                return
            asking, self._asking = self._asking, None
            asking.result()
        schema_id = self._writers.due(wanted)
        if schema_id is not None:
            self._asking = self._begun(schema_id)

    def close(self) -> None:
        """Ask nothing more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _begun(self, schema_id: SchemaKey) -> Future[None]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "schemas")
        return self._pool.submit(self._writers.ask, schema_id)


def _of_no_use(schema_id: SchemaKey, error: MeshError) -> EventError:
    return EventError(
        f"the event's schema id {schema_id} is of no use",
        code="MESH-E013",
        why=error.what,
        fix="check which registry the publisher used",
    )
