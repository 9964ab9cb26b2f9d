"""The Rust engine against bytes nobody wrote, in a process of its own: a crash there is a finding here."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import random
from datetime import datetime
from mesh.codec import codec_for, to_batch
from tests.unit.codec_cases import record

fields = [{"name": "s", "type": "string"}, {"name": "q", "type": "int"}]
line = {"type": "record", "name": "Line", "fields": fields}
schema = record(
    "string", "long", "boolean", "double", "float", ["null", "string"], ["long", "null"],
    {"type": "enum", "name": "E", "symbols": ["A", "B"]}, {"type": "array", "items": line}, ["null", "Line"],
    {"type": "long", "logicalType": "timestamp-micros"}, {"type": "array", "items": ["null", "Line"]},
)
fast, slow = codec_for(schema), codec_for(schema, "fastavro")
assert fast.engine == "pyruhvro"
row = dict(
    f0="abc", f1=2**40, f2=True, f3=1.5, f4=0.5, f5="x", f6=None, f7="B",
    f8=[{"s": "a", "q": 1}], f9=None, f10=datetime(2026, 1, 1), f11=[None, {"s": "b", "q": 2}],
)
(good,) = fast.encode(to_batch([row], fast))
source = random.Random(SEED)

def shown(batch):
    columns = [c.view("int64") if str(c.type) == "timestamp[us, tz=UTC]" else c for c in batch.columns]
    return [str(column.to_pylist()) for column in columns]  # as text, nan is nan

def broken():
    datum = bytearray(good)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(datum))
        kind = source.randrange(5)
        if kind == 0:
            datum[at] = source.randrange(256)
        elif kind == 1:
            del datum[at:]
        elif kind == 2:
            datum[at:at] = bytes(source.choice([0xFF, 0x80, 0xFE]) for _ in range(source.randint(1, 10)))
        elif kind == 3:
            datum += bytes(source.randrange(256) for _ in range(source.randint(1, 9)))
        else:
            datum[at] ^= 1 << source.randrange(8)
        if not datum:
            break
    return bytes(datum)

tried = 0
while tried < 10_000:
    datums = [broken() if source.random() < 0.5 else good for _ in range(50)]
    tried += len(datums)
    quick, exact = fast.decode_with_poison(datums), slow.decode_with_poison(datums)
    assert list(quick.indices) == list(exact.indices), tried
    assert shown(quick.batch) == shown(exact.batch), tried
print("survived", tried)
"""


def test_ten_thousand_malformed_events_end_no_process_and_fool_no_engine() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("SEED", "20261121")],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "RUST_BACKTRACE": "0"},
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "survived 10000"), ended.stderr[-2_000:]


HOSTILE = """
import random, resource
from mesh.codec import codec_for
from tests.unit.codec_cases import BEYOND, LOGICAL, PROVEN, record

leaves = [{**one, "name": f"F{at}"} if isinstance(one, dict) and "name" in one else one
          for at, one in enumerate(PROVEN + LOGICAL + BEYOND)]
schemas = [record(one) for one in leaves] + [record({"type": "array", "items": one}) for one in leaves[:14]]
codecs = [codec_for(schema, engine) for schema in schemas for engine in ("auto", "fastavro")]
source = random.Random(SEED)
resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))  # what takes more fails, and ends this process

def huge():
    number = source.choice([2**31, 2**40, 2**62, 2**63 - 1, -(2**31), -(2**63), 10**7])
    zigzag, out = (number << 1) ^ (number >> 63), bytearray()
    zigzag &= 2**64 - 1
    while zigzag >= 0x80:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])

def hostile():
    noise = source.randbytes(source.randrange(6))
    parts = [huge(), noise, b"\\x80" * source.randrange(12), b"\\x01" + huge()]
    return b"".join(source.sample(parts, source.randint(1, 4)))

for codec in codecs:
    datums = [hostile() for _ in range(60)]
    decoded = codec.decode_with_poison(datums)
    assert len(decoded.indices) + len(decoded.poison) == len(datums)
print("survived", len(codecs))
"""


def test_announced_sizes_take_no_memory_and_end_no_process() -> None:
    program = HOSTILE.replace("SEED", "20261122").replace("MEMORY", str(3 * 2**29))
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "RUST_BACKTRACE": "0"},
    )
    assert (ended.returncode, ended.stdout.split()[:1]) == (0, ["survived"]), ended.stderr[-2_000:]
