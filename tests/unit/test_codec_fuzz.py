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
