"""Running a pipeline exactly once: what it derives, what it sets aside and what it has read count together.

One transaction holds the derived events of some input records, the dead letters among these and the position
behind them. It is committed, or it never was: then reading goes on where the last one that was committed left
off. While one transaction is committed, the next records are taken and derived.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pyarrow as pa

from mesh.burying import Letter, bury
from mesh.errors import MeshError
from mesh.figures import Figures
from mesh.interfaces import Transactional
from mesh.pipelines.intake import Input, Intake, Poison, Portion, Taken
from mesh.pipelines.model import Derived, Pipeline
from mesh.pipelines.provenance import Marked, of_batch, of_rows
from mesh.publishing import Publisher

Table = Callable[[], pa.Table]
_COLUMNS = (pa.Array, pa.ChunkedArray)
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much one transaction holds: so many records, or what comes within so many seconds."""

    records: int = 20_000
    within_seconds: float = 0.1
    wait_seconds: float = 0.5
    #: how many transactions in a row may be aborted before the run gives up
    aborts: int = 10


class PipelineRun:
    """One member of the pipeline's group at work. Use `with`, or close it: what is open then never was."""

    def __init__(
        self,
        made: Pipeline,
        intake: Intake,
        tables: Mapping[str, Table],
        transactions: Transactional,
        publisher: Callable[[Marked], Publisher],
        pace: Pace | None = None,
        figures: Figures | None = None,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._made = made
        self._intake = intake
        self._tables = tables
        self._transactions = transactions
        self._marked = Marked(transactions)
        self._publish = publisher(self._marked)
        self._pace = pace or Pace()
        self._closed = closed
        self._pending: tuple[int, int, int] | None = None
        self._aborts = 0
        self._trouble: BaseException | None = None
        self._aborted = ""
        self._looked = 0.0
        self.figures = figures or Figures()

    def run(self, going_on: Callable[[], bool]) -> None:
        """Derive for as long as `going_on`, then see the transaction at hand to its end.

        Raises MeshError: K050 when transactions come to nothing again and again, K051 when another process
        has taken over, K054 when the function fails; EventError when what it makes breaks the contract;
        UnreachableError. Nothing is lost and nothing comes twice, whatever it raises: run again.
        """
        while going_on():
            self.step()
        self._end()

    def step(self) -> int:
        """Take, derive, begin to commit; how many records were taken."""
        taken = self._intake.take(self._pace.records, self._pace.wait_seconds, self._pace.within_seconds)
        self._look()
        if taken is None:
            self._end()
            return 0
        # As they stand now: all that one transaction derives has looked things up in the same tables.
        tables = [self._tables[name]() for name in self._made.tables]
        made = [self._derive(portion, tables) for portion in self._early(taken)]
        if not self._end():
            # The transaction before came to nothing, so this one would leave a gap: both are read again.
            return 0
        self._transact(taken, tables, made)
        return taken.records

    def settle(self) -> None:
        """See the transaction that is on its way to its end; what came of it is told by the next step."""
        if self._pending is None:
            return
        (published, dead_letters, consumed), self._pending = self._pending, None
        try:
            why = self._transactions.outcome()
        except BaseException as error:
            self._trouble = error
            return
        if why is not None:
            self._aborted = why
            return
        self._aborts = 0
        self.figures.trouble = ""
        self.figures.committed += 1
        self.figures.consumed += consumed
        self.figures.published += published
        self.figures.dead_letters += dead_letters

    def close(self) -> None:
        """Drop what is open, leave the group, and let go of everything."""
        try:
            self.settle()
            self._transactions.abort()
        finally:
            try:
                self._intake.close()
            finally:
                self._closed()

    def __enter__(self) -> PipelineRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self) -> None:
        self.figures.step()
        now = time.monotonic()
        if now >= self._looked + LOOK_SECONDS:
            self._looked = now
            self.figures.lag, self.figures.partitions = self._intake.lag()
            if self._intake.joined:
                self.figures.trouble = ""

    def _end(self) -> bool:
        """Whether the transaction before was committed, if there was one; goes back when it was not."""
        self.settle()
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble
        if not self._aborted:
            return True
        why, self._aborted = self._aborted, ""
        self._again(why)
        return False

    def _again(self, why: str) -> None:
        self.figures.aborted += 1
        self.figures.last_error = why
        self._aborts += 1
        if self._aborts >= self._pace.aborts:
            raise MeshError(
                f"{self._aborts} transactions in a row came to nothing",
                code="MESH-K050",
                where=self._made.product,
                why=why,
                fix="nothing is lost: see to the cause, then start again",
            )
        self._intake.rewind()

    def _transact(self, taken: Taken, tables: list[pa.Table], made: list[Any]) -> None:
        self._transactions.begin()
        try:
            dead_letters = sum(self._bury(read, poison) for read, poison in taken.poison)
            published = 0
            for portion, derived in zip(self._early(taken), made, strict=True):
                published += self._send(portion, derived)
            for portion in self._late(taken):
                good, bad = self._attempt(portion, tables)
                published, dead_letters = published + good, dead_letters + bad
        except BaseException:
            self._transactions.abort()
            raise
        self._pending = published, dead_letters, taken.records
        self._transactions.commit(taken.positions, taken.member)

    def _early(self, taken: Taken) -> Sequence[Portion]:
        """What is derived while the transaction before is committed."""
        return taken.portions if self._made.on_error == "stop" else ()

    def _late(self, taken: Taken) -> Sequence[Portion]:
        """What is derived as it is sent, because each may show which events cannot be taken."""
        return taken.portions if self._made.on_error == "dead-letter" else ()

    def _derive(self, portion: Portion, tables: list[pa.Table]) -> Any:
        batch = portion.batch
        try:
            return self._made.inputs[portion.read.product](batch.events, *tables)
        except Exception as error:
            raise MeshError(
                f"the function of {self._made.product} raised {type(error).__name__}",
                code="MESH-K054",
                where=f"{batch.position(0)} to {batch.position(len(batch) - 1)}",
                why=str(error),
                fix="mend the function, or declare it with on_error='dead-letter'",
            ) from error

    def _send(self, portion: Portion, derived: Any) -> int:
        port = portion.read.port
        version = str(port.contract.version)
        if not isinstance(derived, Derived):
            self._marked.mark(of_batch(port.topic, portion.ranges, version))
            return self._publish.many(derived).events if len(derived) else 0
        if len(derived.rows) != len(derived.events):
            raise MeshError(
                "the derived events do not match their rows",
                code="MESH-K056",
                where=self._made.product,
                why=f"{len(derived.events)} events, {len(derived.rows)} rows",
                fix="name one row of the batch for each event, in their order",
            )
        rows = derived.rows.to_pylist() if isinstance(derived.rows, _COLUMNS) else derived.rows
        self._marked.mark(of_rows(portion.batch.messages, rows, version))
        return self._publish.many(derived.events).events if len(rows) else 0

    def _attempt(self, portion: Portion, tables: list[pa.Table]) -> tuple[int, int]:
        """Publish what can be derived; halves what fails until the events that fail are found."""
        try:
            return self._send(portion, self._derive(portion, tables)), 0
        except MeshError as error:
            # Both are said before anything of the portion is sent.
            if error.error_code != "MESH-K054" and not error.error_code.startswith("MESH-E"):
                raise
            if len(portion.batch) == 1:
                return 0, self._bury(portion.read, [(portion.batch.messages[0], error.__cause__ or error)])
        first, rest = (self._attempt(half, tables) for half in portion.halves())
        return first[0] + rest[0], first[1] + rest[1]

    def _bury(self, read: Input, poison: Poison) -> int:
        """Send poison on within the transaction, bytes and headers untouched."""
        letters = [Letter(*one) for one in poison]
        bury(self._transactions, read.port.dead_letters, letters, self._made.product)
        return len(poison)
