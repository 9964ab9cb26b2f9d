"""The parser under coverage-guided input: `python -m tests.fuzz.parser CORPUS -runs=20000`.

What comes from outside may be refused by the exceptions that are named for it, and by no other. What recovery
keeps of a damaged log it keeps again, and serves.
"""

from __future__ import annotations

import contextlib
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mesh_platform.broker"]):
    from mesh_platform.broker import batch, entities, log, records, versions, wire

from tests.fuzz.batches import bomb, packed, sealed
from tests.fuzz.corpus import good_requests
from tests.unit.broker_kit import Item
from tests.unit.broker_kit import batch as good_batch


def _a_request(data: bytes) -> None:
    try:
        header = wire.read_header(data)
        if versions.is_advertised(header.api_key, header.version):
            wire.read_request(header, data, "host", ("host", 1))
    except entities.BadFrame:
        pass


def _a_batch(data: bytes) -> None:
    with contextlib.suppress(batch.CorruptBatch, batch.UnsupportedBatch):
        batch.read_one_batch(data)


def _records(data: bytes) -> None:
    """The records of a batch that is whole, so that no CRC keeps the reader away from them."""
    if not data:
        return
    whole = packed(data[1:], data[0] & 7, count=1 + (data[0] >> 3))
    try:
        for record in records.records(batch.read_batch(whole), whole):
            assert len(record.raw) <= max(len(data), 1 << 26)
    except batch.CorruptBatch:
        pass


def _a_log(data: bytes) -> None:
    folder = Path(tempfile.mkdtemp(prefix="mesh-parser-"))
    try:
        (folder / f"{0:020d}.log").write_bytes(data)
        recovered, dropped = log.Log.open(folder)
        kept, end = recovered.size, recovered.end_offset
        assert kept + sum(loss.bytes for loss in dropped) == len(data)
        served = recovered.read(0, len(data), whole=True) if end else b""
        assert len(served) == kept
        recovered.close()
        again, more = log.Log.open(folder)
        assert (again.size, again.end_offset, more) == (kept, end, [])
        again.delete()
    finally:
        shutil.rmtree(folder)


def _a_whole_batch(data: bytes) -> None:
    """Any header, but length, format and CRC are right: for what comes after they were looked at."""
    if len(data) < batch.HEADER_BYTES:
        return
    whole = bytearray(data)
    struct.pack_into(">i", whole, 8, len(whole) - batch.PREFIX_BYTES)
    whole[16] = 2
    _a_batch(sealed(whole))
    _a_log(good_batch() + sealed(whole))


TARGETS: Mapping[int, Callable[[bytes], None]] = {
    0: _a_request,
    1: _a_batch,
    2: _records,
    3: _a_log,
    4: _a_whole_batch,
}


def one_input(data: bytes) -> None:
    """The first byte says where the rest goes."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def sow(folder: Path) -> None:
    """Write good input for every target, to begin with."""
    seeds = [b"\0" + good.frame() for key in versions.ADVERTISED for good in good_requests(key)]
    batches = [
        good_batch(),
        good_batch([Item()] * 5, gzip=True),
        good_batch(producer=(5, 0, 0)),
        bomb(1 << 20),
    ]
    seeds += [bytes([target]) + data for target in (1, 3, 4) for data in (*batches, batches[0] * 3)]
    seeds += [b"\2" + bytes([data[22] & 7]) + data[batch.HEADER_BYTES :] for data in batches]
    for number, seed in enumerate(seeds):
        (folder / f"{number:04d}").write_bytes(seed)


if __name__ == "__main__":
    sow(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
