"""Mutations of good requests: of their values, of their bytes, and of what is said about their length."""

from __future__ import annotations

import copy
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.fuzz.batches import spoiled
from tests.fuzz.corpus import Good

_NUMBERS = (
    0,
    1,
    -1,
    -2,
    -3,
    2,
    127,
    -128,
    255,
    2**15 - 1,
    -(2**15),
    2**31 - 1,
    -(2**31),
    2**63 - 1,
    -(2**63),
)
_TEXTS = (
    "", ".", "..", "../../etc/passwd", "a" * 249, "a" * 250, "a" * 32_767, "a" * 40_000, "a." * 100, "\0",
    "\N{GRINNING FACE}", "a b", "text", "text", "cleanup.policy", "segment.bytes", "compact", "-1", "(" * 500,
)  # fmt: skip
_WINDOWS = tuple(struct.pack(">i", n) for n in (-1, -2, 0, 1, 255, 65_535, 2**31 - 1, -(2**31)))
_VARINTS = (b"\xff\xff\xff\xff\x0f", b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\x80\x80\x80\x80\x00", b"\x80\0")
_TAGS = (
    b"\x01\x00\x00",
    b"\x01\x7f\xff\xff\xff\xff\x0f",
    b"\x02\x00\x01\x00\x00\x01\x00",
    b"\xff\xff\xff\x7f",
)
Mutate = Callable[[random.Random, Good, Sequence[Good]], bytes]


def mutated(dice: random.Random, good: Sequence[Good]) -> Iterator[bytes]:
    """Frames without end, each with its length in front, which may be wrong."""
    while True:
        frame = dice.choice(_MUTATIONS)(dice, dice.choice(good), good)
        for _ in range(dice.choice((0, 0, 0, 1, 2))):
            frame = _spoil_bytes(dice, frame)
        yield _with_length(dice, frame)


def _with_length(dice: random.Random, frame: bytes) -> bytes:
    size = len(frame)
    if not dice.randrange(50):
        size = dice.choice((size + 1, size - 1, 0, -1, 7, 2**31 - 1, -(2**31), 100 << 20, (100 << 20) + 1))
    return struct.pack(">i", size) + frame


# Values


def _strange_values(dice: random.Random, good: Good, _: Sequence[Good]) -> bytes:
    for _ in range(8):
        values = copy.deepcopy(dict(good.values))
        for _ in range(dice.choice((1, 1, 2, 5))):
            _change_one(dice, values)
        try:
            return good.frame(values)
        except Exception:  # this number is too large for its field, this field takes no null
            continue
    return good.frame()


def _change_one(dice: random.Random, values: Any) -> None:
    """Walk down to some value and put a strange one in its place."""
    while True:
        names = list(values) if isinstance(values, dict) else list(range(len(values)))
        if not names:
            return
        name = dice.choice(names)
        inner = values[name]
        if isinstance(inner, dict | list) and inner and dice.randrange(4):
            values = inner
            continue
        values[name] = _strange(dice, inner)
        return


def _strange(dice: random.Random, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return dice.choice(_NUMBERS)
    if isinstance(value, str):
        return dice.choice((*_TEXTS, None))
    if isinstance(value, bytes):
        return dice.choice((spoiled(dice), spoiled(dice), b"", None, dice.randbytes(40), bytes(100_000)))
    if isinstance(value, list):
        return dice.choice(([], None, value * dice.choice((2, 3, 100, 1_000)), [*value, *value[::-1]]))
    return value


# Bytes


def _spoil_bytes(dice: random.Random, frame: bytes) -> bytes:
    data, at = bytearray(frame), dice.randrange(len(frame) + 1)
    kind = dice.randrange(9)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        data[at : at + 4] = dice.choice(_WINDOWS)
    elif kind == 2:
        data[at : at + 2] = dice.choice((b"\xff\xff", b"\x7f\xff", b"\x80\0", b"\0\0"))
    elif kind == 3:
        data[at : at + 1] = dice.choice(_VARINTS)
    elif kind == 4:
        del data[at:]
    elif kind == 5:
        data += dice.randbytes(dice.choice((1, 2, 100, 5_000)))
    elif kind == 6:
        data[-1:] = dice.choice(_TAGS)
    elif kind == 7:
        data[at:at] = data[max(0, at - 40) : at] * dice.choice((1, 2, 200))
    else:
        del data[at : at + dice.randint(1, 20)]
    return bytes(data)


def _spoiled(dice: random.Random, good: Good, _: Sequence[Good]) -> bytes:
    return _spoil_bytes(dice, good.frame())


def _other_header(dice: random.Random, good: Good, _: Sequence[Good]) -> bytes:
    frame = bytearray(good.frame())
    struct.pack_into(
        ">h", frame, dice.choice((0, 2)), dice.choice((*range(70), 999, -1, 2**15 - 1, -(2**15)))
    )
    return bytes(frame)


def _other_version(dice: random.Random, good: Good, all_good: Sequence[Good]) -> bytes:
    """The header of one version and the body of another."""
    frame = bytearray(dice.choice(all_good).frame())
    struct.pack_into(">h", frame, 2, good.version)
    return bytes(frame)


def _unchanged(_: random.Random, good: Good, __: Sequence[Good]) -> bytes:
    return good.frame()


_MUTATIONS: Sequence[Mutate] = (
    *[_strange_values] * 8,
    *[_spoiled] * 6,
    *[_other_version] * 2,
    _other_header,
    _unchanged,
)
