"""One question over products, from its text to an answer: what is asked is known before anything is read.

A compacted product is the latest event of each key, as a complete compaction would leave it, without the keys
that a tombstone deleted; `"<product>$events"` is every event that is retained.
"""

from __future__ import annotations

import difflib
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from mesh import limits
from mesh.errors import MeshError, QueryError
from mesh.query.answer import Answer
from mesh.query.names import quoting_hint, wanted
from mesh.query.sandbox import TABLES, Refused, first_line, interrupted_after, opened, tables_of
from mesh.query.table import Bounds, Reads, Topic
from mesh.query.views import Views

_KINDS: Final = TABLES | {"SHOW_REF"}  #: DESCRIBE and SUMMARIZE too
_FETCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where tables come from: a product's topic by its name, and all names, for suggestions."""

    topic: Callable[[str], Topic]
    names: Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What one question may take."""

    megabytes: int = limits.QUERY_MEGABYTES
    seconds: float = limits.QUERY_SECONDS
    rows: int = limits.QUERY_ROWS


def ask(
    query: str,
    shelf: Shelf,
    *,
    parameters: Sequence[Any] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    ceiling: Ceiling | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """The answer, whole: raises QueryError for a text that is no question, or that takes too much.

    `since` and `until` bound the time of publishing of what every table holds.
    """
    ceiling = ceiling or Ceiling()
    if len(query) > limits.QUERY_LENGTH:
        raise _not_asked(
            "is too long", f"a query has at most {limits.QUERY_LENGTH:,} characters", "shorten it"
        )
    end = clock() + ceiling.seconds

    def require_time() -> None:
        if clock() > end:
            raise _too_slow(ceiling)

    reads = Reads(require_time)
    with opened(ceiling.megabytes) as connection, _told(query, reads, ceiling):
        tables, named = tables_of(connection, query, _KINDS)
        views = Views(connection, reads, named, since, until)
        topics: dict[str, tuple[Topic, Bounds]] = {}
        for table in sorted(tables, key=str):
            want = wanted(table)
            if want.product not in topics:
                topic = _topic(shelf, want.product)
                # Once for the whole query: each look at a product sees the same events.
                topics[want.product] = topic, topic.bounds(None, None)
            views.add(table, *topics[want.product], every_event=want.every_event)
        connection.execute("SET lock_configuration = true")
        try:
            with interrupted_after(connection, max(end - clock(), 0.0)):
                return Answer(_fetched(connection, query, parameters, ceiling), reads.unreadable)
        finally:
            reads.close()


def _fetched(connection: Any, query: str, parameters: Sequence[Any], ceiling: Ceiling) -> pa.Table:
    asked = connection.sql(query, params=list(parameters)) if parameters else connection.sql(query)
    reader = asked.to_arrow_reader(_FETCH)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > ceiling.rows:
            raise QueryError(
                f"the answer has more than {ceiling.rows:,} rows",
                code="MESH-Q006",
                why="an answer is held in memory as a whole; mesh.read and mesh cat go through events",
                fix="add LIMIT or GROUP BY to the query, or allow more rows",
            )
        if size > ceiling.megabytes * limits.MIB:
            raise _too_large(ceiling, "the answer itself is larger")
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema).rename_columns(_apart(reader.schema.names))


def _apart(names: Sequence[str]) -> list[str]:
    """Names of columns, those that stand twice numbered: rows are dicts."""
    made: list[str] = []
    for name in names:
        numbers = itertools.count(1)
        chosen = name
        while chosen in made:
            chosen = f"{name}_{next(numbers)}"
        made.append(chosen)
    return made


def _topic(shelf: Shelf, product: str) -> Topic:
    try:
        return shelf.topic(product)
    except MeshError as error:
        known = shelf.names()
        if product in known or error.exit_code != 1:
            raise
        near = difflib.get_close_matches(product, sorted(known), n=1)
        raise QueryError(
            f"there is no product {product}" + (f"; did you mean {near[0]}?" if near else ""),
            code="MESH-Q002",
            where=product,
            why=error.what,
            fix=f"write {_spelled(near[0])}" if near else "mesh status",
        ) from error


@contextmanager
def _told(query: str, reads: Reads, ceiling: Ceiling) -> Iterator[None]:
    """What DuckDB says, in words of ours."""
    import duckdb

    try:
        yield
    except Refused as why:
        fix = "ask with one SELECT" if why.position is None else quoting_hint(query, why.position)
        raise _not_asked("cannot be asked", f"it {why}", fix) from None
    except duckdb.Error as error:
        if reads.trouble is not None:
            raise reads.trouble from None
        if isinstance(error, duckdb.InterruptException):
            raise _too_slow(ceiling) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise _too_large(ceiling, first_line(error)) from None
        raise _refused(duckdb, error) from None
    except (pa.ArrowException, OSError):
        if reads.trouble is not None:
            raise reads.trouble from None
        raise


def _refused(duckdb: Any, error: Exception) -> QueryError:
    hints = [line for line in str(error).splitlines() if line.startswith(("Candidate", "Did you mean"))]
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return QueryError(
            "the query names what is not there",
            code="MESH-Q003",
            why=first_line(error),
            fix=hints[0] if hints else "DESCRIBE <domain>.<product> shows the columns of a product",
        )
    return QueryError(
        "the query fails as it runs",
        code="MESH-Q007",
        why=first_line(error),
        fix="correct the query",
    )


def _not_asked(what: str, why: str, fix: str) -> QueryError:
    return QueryError(f"the query {what}", code="MESH-Q001", why=why, fix=fix)


def _too_slow(ceiling: Ceiling) -> QueryError:
    return QueryError(
        f"the query takes longer than {ceiling.seconds:g} s",
        code="MESH-Q004",
        why="a query has an end, whatever it asks",
        fix="narrow it by `since` or by a condition on _published, or allow more seconds",
    )


def _too_large(ceiling: Ceiling, why: str) -> QueryError:
    return QueryError(
        f"the query needs more than {ceiling.megabytes:,} MB",
        code="MESH-Q005",
        why=why,
        fix="select fewer columns, group by fewer values, narrow it by time, or raise MESH_SQL_MEGABYTES",
    )


def _spelled(product: str) -> str:
    return product.replace("-", "_")
