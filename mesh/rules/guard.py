"""The record rules of a contract over what comes: few events one by one, many as columns.

A call into Arrow costs as much for one event as for a thousand, and there are several in every rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from mesh.rows import rows_of_arrow
from mesh.rules.closures import RowGuard, compile_closures
from mesh.rules.masks import BatchGuard, Verdict, compile_masks
from mesh.rules.model import Rule

#: up to so many events are few
FEW: Final = 4
_NOTHING_BROKEN: Final = Verdict(None, {})


class Guard:
    """The rules over batches of any size: the same verdict, whichever way it is found."""

    def __init__(self, rows: RowGuard | None, batches: BatchGuard) -> None:
        """`rows` is None where there are no rules: then nothing is looked at."""
        self.rows, self._batches = rows, batches

    def check(self, batch: pa.RecordBatch) -> Verdict:
        """Judge every row of a batch that has the schema the rules were compiled for."""
        if self.rows is None or batch.num_rows > FEW or any(map(self.rows.check, rows_of_arrow(batch))):
            return self._batches.check(batch)
        return _NOTHING_BROKEN


def compile_guard(rules: Sequence[Rule], schema: pa.Schema) -> Guard:
    """Rules for events of an Arrow schema; raises DeclarationError naming a rule that cannot be."""
    return Guard(compile_closures(rules, schema) if rules else None, compile_masks(rules, schema))
