"""Record batches as no client should send them."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from crc32c import crc32c

from tests.unit.broker_kit import Item, batch

Spoil = Callable[[random.Random], bytes]
_EDGES = (0, 1, -1, 127, 128, 2**15 - 1, -(2**15), 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
#: (position, format) of each field of the header
_FIELDS = (
    (0, ">q"), (8, ">i"), (12, ">i"), (16, ">b"), (17, ">i"), (21, ">h"), (23, ">i"),
    (27, ">q"), (35, ">q"), (43, ">q"), (51, ">h"), (53, ">i"), (57, ">i"),
)  # fmt: skip
_CRC_AT, _BODY_AT, _HEADER_BYTES = 17, 21, 61


def sealed(data: bytes | bytearray) -> bytes:
    """The batch with the CRC that its bytes have now."""
    data = bytearray(data)
    if len(data) >= _BODY_AT:
        struct.pack_into(">I", data, _CRC_AT, crc32c(bytes(data[_BODY_AT:])))
    return bytes(data)


def packed(payload: bytes, codec: int, count: int = 1) -> bytes:
    """A batch with a whole header and CRC around whatever its records are."""
    head = bytearray(batch([Item()] * count)[:_HEADER_BYTES])
    struct.pack_into(">i", head, 8, _HEADER_BYTES + len(payload) - 12)
    struct.pack_into(">h", head, _BODY_AT, codec)
    return sealed(head + payload)


def bomb(unpacked: int) -> bytes:
    """A batch whose records are that many bytes once they are unpacked."""
    packer = zlib.compressobj(9, wbits=31)
    zeros, parts = bytes(1 << 20), []
    for _ in range(unpacked >> 20):
        parts.append(packer.compress(zeros))
    return packed(b"".join(parts) + packer.flush(), 1)


_BOMB = bomb(64 << 20)


def spoiled(dice: random.Random) -> bytes:
    """A batch with something wrong, or at least strange."""
    return dice.choice(_SPOILS)(dice)


def _flipped(dice: random.Random) -> bytes:
    data = bytearray(batch())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _edge_in_header(dice: random.Random) -> bytes:
    data = bytearray(batch(producer=dice.choice([(-1, -1, -1), (5, 0, 0)])))
    at, form = dice.choice(_FIELDS)
    bits = 8 * struct.calcsize(form)
    value = dice.choice(_EDGES) & (2**bits - 1)
    struct.pack_into(form.upper(), data, at, value)
    return sealed(data) if at >= _BODY_AT else bytes(data)


def _rubbish_inside(dice: random.Random) -> bytes:
    return packed(dice.randbytes(dice.randrange(200)), dice.randrange(8), dice.randint(1, 3))


def _cut(dice: random.Random) -> bytes:
    whole = batch([Item()] * dice.randint(1, 5))
    return whole[: dice.randrange(len(whole))]


def _spoiled_records(dice: random.Random) -> bytes:
    data = bytearray(batch([Item()] * dice.randint(1, 5)))
    for _ in range(dice.randint(1, 4)):
        data[dice.randrange(_HEADER_BYTES, len(data))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF])
    return sealed(data)


_SPOILS: tuple[Spoil, ...] = (
    _flipped,
    _edge_in_header,
    _edge_in_header,
    _rubbish_inside,
    _cut,
    _spoiled_records,
    lambda dice: batch() * dice.randint(2, 40),
    lambda dice: batch(attributes=dice.randrange(-(2**15), 2**15)),
    lambda dice: batch([Item(timestamp=dice.choice(_EDGES[:9]))]),
    lambda dice: _BOMB,
    lambda dice: dice.randbytes(dice.randrange(300)),
    lambda dice: batch(
        producer=(dice.choice((0, 5, 2**63 - 1)), dice.choice((0, 2**15 - 1)), dice.choice((0, 2**31 - 1)))
    ),
)
