"""Codec and rules by themselves, without a broker: `python -m tests.bench.bench_codec`."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import fastavro
import pyarrow as pa

from mesh.codec import codec_for, to_batch
from mesh.event import frame_prefix, unframe_batch
from mesh.rules.closures import compile_closures
from mesh.rules.masks import compile_masks
from mesh.rules.model import Check, ItemCount, OneOf, Pattern, Range, Rule
from mesh.schema import parse_schema
from tests.bench.measuring import compared, rate, table

EVENTS = 200_000
CHUNK = 10_000
FEW = 20_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LINE = {
    "type": "record",
    "name": "Line",
    "fields": [
        {"name": "sku", "type": "string"},
        {"name": "quantity", "type": "int"},
        {"name": "price", "type": "double"},
    ],
}
ORDER = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "order_id", "type": "string"},
        {"name": "customer", "type": "long"},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}},
        {"name": "placed_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "total", "type": "double"},
        {"name": "coupon", "type": ["null", "string"], "default": None},
        {"name": "express", "type": "boolean"},
        {"name": "lines", "type": {"type": "array", "items": LINE}},
    ],
}
CHECKS: tuple[tuple[str, Check], ...] = (
    ("total", Range(minimum=0)),
    ("customer", Range(maximum=1_000_000)),
    ("order_id", Pattern("^o-[0-9]{7}$")),
    ("status", OneOf(("NEW", "PAID", "SENT"))),
    ("lines", ItemCount(1, 100)),
)


def orders() -> list[dict[str, Any]]:
    """Nested orders of about 64 bytes of Avro each."""
    return [
        {
            "order_id": f"o-{n:07d}",
            "customer": n % 5_000,
            "status": ("NEW", "PAID", "SENT")[n % 3],
            "placed_at": BEGAN + timedelta(seconds=n),
            "total": n * 0.5,
            "coupon": None if n % 2 else "X10",
            "express": n % 2 == 0,
            "lines": [
                {"sku": "a1", "quantity": 1, "price": 2.5},
                {"sku": "b2", "quantity": 3, "price": 1.5},
            ],
        }
        for n in range(EVENTS)
    ]


def main() -> None:
    """Print one table: every figure in events per second, fastavro beside it."""
    schema = parse_schema(json.dumps(ORDER))
    fast, reference = codec_for(schema), codec_for(schema, "fastavro")
    parsed = fastavro.parse_schema(schema.codec_tree)
    rows, prefix = orders(), frame_prefix(7)
    rules = [Rule(f"{path} {check}", path, check) for path, check in CHECKS]
    masks, closures = compile_masks(rules, fast.arrow_schema), compile_closures(rules, fast.arrow_schema)
    row_chunks = [rows[start : start + CHUNK] for start in range(0, EVENTS, CHUNK)]
    batches = [to_batch(chunk, fast) for chunk in row_chunks]
    values = [fast.encode(batch, prefix) for batch in batches]
    framed = [unframe_batch(chunk).groups[0].datums for chunk in values]
    few = [datum for chunk in framed for datum in chunk][:FEW]
    few_batch = pa.concat_batches(batches).slice(0, FEW)
    poisoned = [
        [datum[:-4] if index % 100 == 0 else datum for index, datum in enumerate(chunk)]
        for chunk in framed[:2]
    ]

    def written() -> None:
        for row in rows[:FEW]:
            fastavro.schemaless_writer(io.BytesIO(), parsed, row)

    def read() -> None:
        for datum in few:
            fastavro.schemaless_reader(io.BytesIO(datum), parsed, None)

    def each(work: Any, chunks: list[Any]) -> None:
        for chunk in chunks:
            work(chunk)

    write = rate("fastavro", "dicts to datums", FEW, written)
    decode = rate("fastavro", "datums to dicts", FEW, read)
    figures = [
        write,
        decode,
        rate(
            "rows",
            "dicts to Arrow, every field checked",
            EVENTS,
            partial(each, partial(to_batch, codec=fast), row_chunks),
        ),
        rate(
            "rows",
            "pyarrow alone, nothing checked",
            EVENTS,
            partial(each, partial(pa.RecordBatch.from_pylist, schema=fast.arrow_schema), row_chunks),
        ),
        compared(
            rate(
                "encode",
                "Arrow to framed datums",
                EVENTS,
                partial(each, partial(fast.encode, prefix=prefix), batches),
            ),
            write,
            "",
        ),
        compared(
            rate(
                "encode",
                "dicts to framed datums",
                EVENTS,
                partial(each, lambda chunk: fast.encode(to_batch(chunk, fast), prefix), row_chunks),
            ),
            write,
            "",
        ),
        rate(
            "encode", "Arrow to datums, reference engine", FEW, lambda: reference.encode(few_batch) and None
        ),
        compared(
            rate(
                "decode",
                "framed values to Arrow, verified",
                EVENTS,
                partial(
                    each, lambda chunk: fast.decode_with_poison(unframe_batch(chunk).groups[0].datums), values
                ),
            ),
            decode,
            "",
        ),
        rate(
            "decode",
            "the same, one event in a hundred poison",
            2 * CHUNK,
            partial(each, fast.decode_with_poison, poisoned),
        ),
        rate("decode", "datums to Arrow, reference engine", FEW, lambda: reference.decode(few) and None),
        rate("rules", "five rules, masks", EVENTS, partial(each, masks.check, batches)),
        rate("rules", "five rules, closures", FEW, partial(each, closures.check, rows[:FEW])),
    ]
    print(table(figures))


if __name__ == "__main__":
    main()
