"""What a query came to: a table, in whatever form its asker likes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mesh import display
from mesh.decoding import to_polars

if TYPE_CHECKING:
    import pandas
    import polars


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """All rows of an answer. `unreadable` counts events that could not be read and so are not part of it."""

    table: pa.Table
    unreadable: int = 0

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(self.table.schema.names)

    def to_arrow(self) -> pa.Table:
        """The answer as an Arrow table, without a copy."""
        return self.table

    def to_polars(self) -> polars.DataFrame:
        """The answer as a Polars frame; raises UsageError (MESH-U042) where Polars is not installed."""
        return to_polars(self.table)

    def to_pandas(self) -> pandas.DataFrame:
        """The answer as a pandas frame."""
        return self.table.to_pandas()

    def rows(self) -> list[dict[str, Any]]:
        """The answer as dicts."""
        return display.rows_of(self.table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return "\n".join([display.text_table(self.table), *self.notes])

    def _repr_html_(self) -> str:
        return display.html_table(self.table, self.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody who looks at the answer should know."""
        if not self.unreadable:
            return ()
        return (f"{self.unreadable:,} events could not be read; they are not part of this answer",)
