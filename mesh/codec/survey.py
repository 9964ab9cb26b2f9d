"""Where the datums of a batch stop making sense, found for all of them at once.

One step per field of the schema moves a cursor in every datum, so that a batch with poison costs little more
than one without. What is found is a place to look at: `wire` has the last word on it, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mesh.schema import AvroSchema
from mesh.schema.nodes import Array, Enum, Node, Primitive, Record, Reference, Union

Numbers = np.ndarray[Any, np.dtype[np.int64]]

#: Two numbers may be read beyond the last datum before anybody looks where the cursor is.
_PAD: Final = bytes(32)
_SIZES: Final = {"null": 0, "float": 4, "double": 8}
#: So many items of lists are stepped through; beyond that, looking at every datum by itself is faster.
_STEPS: Final = 256


@dataclass(frozen=True, slots=True)
class Doubt:
    """A datum of a batch and what in it cannot be read from byte `at` on; the end of the datum is no node."""

    row: int
    at: int
    node: Node | None


def doubts(schema: AvroSchema, datums: Sequence[bytes]) -> list[Doubt] | None:
    """One for each datum that does not hold, by row; None when finding out would take long.

    The schema must be of the fast engine's subset.
    """
    walk = _Walk(schema, datums)
    try:
        walk.value(schema.root, np.arange(len(datums)))
    except _Long:
        return None
    walk.end()
    return sorted(walk.found, key=lambda doubt: doubt.row)


class _Long(Exception):
    """There are more items than steps."""


class _Walk:
    def __init__(self, schema: AvroSchema, datums: Sequence[bytes]) -> None:
        joined = b"".join(datums) + _PAD
        sizes = np.fromiter(map(len, datums), np.int64, len(datums))
        self._names = schema.names
        self._raw = joined
        self._bytes = np.frombuffer(joined, np.uint8)
        #: how many bytes beyond ASCII came before each byte
        self._beyond = np.concatenate([[0], np.cumsum(self._bytes >= 0x80, dtype=np.int32)])
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        self._at = self._starts.copy()
        self._sound = np.ones(len(datums), bool)
        self._steps = 0
        self.found: list[Doubt] = []

    def value(self, node: Node, rows: Numbers) -> None:
        """Move the cursors of these rows past a value."""
        match node:
            case Reference(fullname):
                self.value(self._names[fullname], rows)
            case Record(fields=fields):
                for field in fields:
                    self.value(field.type, rows)
                    rows = self._left(rows)
            case Union(branches):
                self._union(node, branches, rows)
            case Array(items):
                self._array(node, items, rows)
            case Enum(symbols=symbols):
                self._choice(node, len(symbols), rows)
            case Primitive("int"):
                began = self._at[rows]
                number = self._varint(rows)
                self._doubt(node, rows, began, (number < -(2**31)) | (number >= 2**31) | self._overrun(rows))
            case Primitive("long"):
                began = self._at[rows]
                self._varint(rows)
                self._doubt(node, rows, began, self._overrun(rows))
            case Primitive("string"):
                self._text(node, rows)
            case Primitive("boolean"):
                began = self._at[rows]
                self._at[rows] += 1
                self._doubt(node, rows, began, (self._bytes[began] > 1) | self._overrun(rows))
            case Primitive(kind):
                began = self._at[rows]
                self._at[rows] += _SIZES[kind]
                self._doubt(node, rows, began, self._overrun(rows))
            case _:
                raise AssertionError(f"the fast engine declines {node.kind}")

    def end(self) -> None:
        """Whatever is sound must be at its end."""
        rows = np.flatnonzero(self._sound)
        self._doubt(None, rows, self._at[rows], self._at[rows] != self._ends[rows])

    def _union(self, node: Node, branches: Sequence[Node], rows: Numbers) -> None:
        chosen = self._choice(node, len(branches), rows)
        for index, branch in enumerate(branches):
            self.value(branch, self._left(rows[chosen == index]))

    def _choice(self, node: Node, size: int, rows: Numbers) -> Numbers:
        began = self._at[rows]
        chosen = self._varint(rows)
        self._doubt(node, rows, began, (chosen < 0) | (chosen >= size) | self._overrun(rows))
        return chosen

    def _text(self, node: Node, rows: Numbers) -> None:
        began = self._at[rows]
        size = self._varint(rows)
        start = self._at[rows]
        bad = (size < 0) | (size > self._ends[rows] - start)
        end = np.where(bad, start, start + size)
        for index in np.flatnonzero(self._beyond[end] != self._beyond[start]):
            try:
                self._raw[start[index] : end[index]].decode()
            except UnicodeDecodeError:
                bad[index] = True
        self._at[rows] = end
        self._doubt(node, rows, began, bad)

    def _array(self, node: Node, items: Node, rows: Numbers) -> None:
        left = np.zeros(len(self._at), np.int64)
        while rows.size:
            began = self._at[rows]
            counts = self._varint(rows)
            left[rows] = np.abs(counts)
            sized = rows[counts < 0]
            self._varint(sized)  # the block's size in bytes
            bad = (left[rows] < 0) | (left[rows] > self._ends[rows] - self._at[rows]) | self._overrun(rows)
            self._doubt(node, rows, began, bad)
            rows = self._left(rows)
            rows = rows[left[rows] > 0]
            items_of = rows
            while items_of.size:
                self._steps += 1
                if self._steps > _STEPS:
                    raise _Long
                self.value(items, items_of)
                items_of = self._left(items_of)
                left[items_of] -= 1
                items_of = items_of[left[items_of] > 0]
            rows = self._left(rows)

    def _varint(self, rows: Numbers) -> Numbers:
        """The numbers at the cursors; one of more than 64 bits leaves its cursor beyond the datum."""
        at = self._at[rows]
        byte = self._bytes[at]
        raw = (byte & 0x7F).astype(np.uint64)
        at += 1
        more = np.flatnonzero(byte >= 0x80)
        shift = 7
        while more.size and shift < 70:
            byte = self._bytes[at[more]]
            raw[more] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
            at[more] += 1
            if shift == 63:  # of the tenth byte one bit has room
                wide = more[byte > 1]
                at[wide] = self._ends[rows[wide]] + 1
            more = more[byte >= 0x80]
            shift += 7
        at[more] = self._ends[rows[more]] + 1
        self._at[rows] = at
        number: Numbers = (raw >> np.uint64(1)).astype(np.int64) ^ -(raw & np.uint64(1)).astype(np.int64)
        return number

    def _overrun(self, rows: Numbers) -> Any:
        return self._at[rows] > self._ends[rows]

    def _left(self, rows: Numbers) -> Numbers:
        return rows[self._sound[rows]] if self.found else rows

    def _doubt(self, node: Node | None, rows: Numbers, began: Numbers, bad: Any) -> None:
        if not bad.any():
            return
        out = rows[bad]
        self._sound[out] = False
        self.found += [
            Doubt(int(row), int(at), node)
            for row, at in zip(out, began[bad] - self._starts[out], strict=True)
        ]
