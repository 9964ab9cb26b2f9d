"""Avro's binary encoding read strictly, byte by byte: the last word on what a datum holds.

fastavro takes a negative enum index for Python's last item and any byte for `true`; here every
byte must mean what the specification says (Avro 1.12, «Binary encoding»). Slow, hence only for
datums that the engines cannot vouch for, and for unions of several types, whose branch matters.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from mesh.codec.layout import branch_name
from mesh.errors import EventError
from mesh.schema import AvroSchema
from mesh.schema.nodes import Array, Enum, Fixed, Map, Node, Primitive, Record, Reference, Union

_INT: Final = (-(2**31), 2**31 - 1)
_LONG: Final = (-(2**63), 2**63 - 1)
_VARINT_BITS: Final = 70


def read_datum(schema: AvroSchema, datum: bytes) -> object:
    """The storage value of a datum; raises EventError (MESH-E030, MESH-E031) for any byte out of place.

    A value of a union of several types is `{branch: value}`. The schema must not be recursive.
    """
    reader = _Reader(schema, datum)
    value = reader.value(schema.root)
    reader.require_end(schema)
    return value


def fault(schema: AvroSchema, datum: bytes, at: int, node: Node | None) -> EventError | None:
    """What is wrong with the value of type `node` at a byte of a datum, or with its end; None: nothing."""
    reader = _Reader(schema, datum, at)
    try:
        if node is None:
            reader.require_end(schema)
        else:
            reader.value(node)
    except EventError as error:
        return error
    return None


class _Reader:
    def __init__(self, schema: AvroSchema, datum: bytes, at: int = 0) -> None:
        self._names = schema.names
        self._datum = datum
        self._at = at

    def require_end(self, schema: AvroSchema) -> None:
        """Nothing may follow."""
        left = len(self._datum) - self._at
        if left:
            raise EventError(
                f"{left} bytes follow the end of the datum",
                code="MESH-E031",
                why=f"the schema {schema.fullname!r} is complete after byte {self._at}",
                fix="check that the event was written with the schema its id names",
            )

    def value(self, node: Node) -> object:
        match node:
            case Primitive(kind):
                return _PRIMITIVES[kind](self)
            case Reference(fullname):
                return self.value(self._names[fullname])
            case Record(fields=fields):
                return {field.name: self.value(field.type) for field in fields}
            case Union(branches):
                return self._union(branches)
            case Array(items):
                return [self.value(items) for _ in self._items()]
            case Map(values):
                return {self.text(): self.value(values) for _ in self._items()}
            case Enum(symbols=symbols):
                return symbols[self._index(len(symbols), "an enum")]
            case Fixed(size=size):
                return self.take(size)

    def _union(self, branches: tuple[Node, ...]) -> object:
        branch = branches[self._index(len(branches), "a union")]
        value = self.value(branch)
        several = sum(one.kind != "null" for one in branches) > 1
        return {branch_name(branch): value} if several and branch.kind != "null" else value

    def _items(self) -> Iterator[None]:
        while count := self.integer(_LONG):
            if count < 0:
                count = -count
                self.integer(_LONG)  # the block's size in bytes, for readers that skip it
            if count > len(self._datum) - self._at:  # every item takes a byte: parse_schema sees to it
                self._fail(f"{count} items are announced where {len(self._datum) - self._at} bytes are left")
            for _ in range(count):
                yield

    def _index(self, size: int, what: str) -> int:
        index = self.integer(_LONG)
        if not 0 <= index < size:
            self._fail(f"{what} of {size} has no choice number {index}")
        return index

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        left = len(self._datum) - self._at
        if not 0 <= size <= left:
            self._fail(f"{size} bytes are announced where {left} are left")
        start, self._at = self._at, self._at + size
        return self._datum[start : self._at]

    def integer(self, bounds: tuple[int, int]) -> int:
        """A zigzag varint within `bounds`."""
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= _VARINT_BITS:
                self._fail("a number takes more than 10 bytes")
        value = (number >> 1) ^ -(number & 1)
        if not bounds[0] <= value <= bounds[1]:
            self._fail(f"the number {value} is out of range")
        return value

    def boolean(self) -> bool:
        """0 or 1, nothing else."""
        byte = self.take(1)[0]
        if byte > 1:
            self._fail(f"a boolean is 0 or 1, not {byte}")
        return byte == 1

    def text(self) -> str:
        """Length and UTF-8."""
        raw = self.take(self.integer(_LONG))
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            self._fail(f"a text is not UTF-8: {error.reason}")

    def _fail(self, why: str) -> NoReturn:
        raise EventError(
            f"the datum does not decode at byte {self._at}",
            code="MESH-E030",
            why=why,
            fix="check that the event was written with the schema its id names",
        )


_PRIMITIVES: Final[dict[str, Callable[[_Reader], object]]] = {
    "null": lambda _: None,
    "boolean": _Reader.boolean,
    "int": lambda reader: reader.integer(_INT),
    "long": lambda reader: reader.integer(_LONG),
    "float": lambda reader: struct.unpack("<f", reader.take(4))[0],
    "double": lambda reader: struct.unpack("<d", reader.take(8))[0],
    "bytes": lambda reader: reader.take(reader.integer(_LONG)),
    "string": _Reader.text,
}
