"""What a hostile schema or event may not do: one test, at least, for every row of the list of dangers.

S01 deep data, S02 items of no bytes, S03 compressed bombs, S04 deep schemas, S05 names, S06 wide types and
the comparisons they make long, S07 defaults. What could end a process runs in one of its own.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import subprocess
import sys
import time
from typing import Any

import pytest

from mesh import limits
from mesh.codec import codec_for
from mesh.compatibility import problems
from mesh.errors import SchemaError
from mesh.schema import AvroSchema, parse_any_schema, parse_schema


def record(*fields: object, name: str = "R") -> dict[str, object]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, kind: object, **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


def parsed(tree: object) -> AvroSchema:
    return parse_schema(tree if isinstance(tree, str) else json.dumps(tree, separators=(",", ":")))


def code_of(tree: object) -> str | None:
    try:
        parsed(tree)
    except SchemaError as error:
        return error.error_code
    return None


def arrays(depth: int) -> str:
    return '{"type":"array","items":' * (depth - 1) + '"int"' + "}" * (depth - 1)


def padded(size: int) -> str:
    """A schema of exactly so many bytes."""
    empty = '{"type":"int","x":""}'
    return f'{{"type":"int","x":"{"a" * (size - len(empty))}"}}'


def of_nodes(count: int) -> dict[str, object]:
    """A record of so many types: itself and a field for each of the others."""
    return record(*(field(f"f{index}", "int") for index in range(count - 1)))


def of_symbols(count: int) -> dict[str, object]:
    return {"type": "enum", "name": "E", "symbols": [f"S{index}" for index in range(count)]}


def of_branches(count: int) -> list[dict[str, object]]:
    return [{"type": "fixed", "name": f"F{index}", "size": 1} for index in range(count)]


def named(length: int) -> dict[str, object]:
    return record(field("x", "int"), name="n" * length)


@pytest.mark.parametrize(
    ("made", "limit", "code"),
    [
        (arrays, limits.SCHEMA_DEPTH, "MESH-A002"),
        (padded, limits.SCHEMA_BYTES, "MESH-A002"),
        (of_nodes, limits.SCHEMA_NODES, "MESH-A002"),
        (of_symbols, limits.ENUM_SYMBOLS, "MESH-A002"),
        (of_branches, limits.UNION_BRANCHES, "MESH-A002"),
        (named, limits.NAME_LENGTH, "MESH-A003"),
    ],
    ids=["S04-depth", "S04-bytes", "S04-nodes", "S06-symbols", "S06-branches", "S05-name"],
)
def test_a_schema_is_taken_up_to_each_limit_and_refused_beyond(made: Any, limit: int, code: str) -> None:
    found = [code_of(made(size)) for size in (limit - 1, limit, limit + 1)]
    assert found == [None, None, code]


HOSTILE_DATA = """
import json, sys, time
from mesh.codec import codec_for
from mesh.codec.fast import PyruhvroCodec, declines
from mesh.schema import parse_schema
from mesh.errors import SchemaError
from tests.unit.test_schema_guards import arrays, record, field

def long(number):
    number, out = number * 2 if number >= 0 else -number * 2 - 1, bytearray()
    while number > 127:
        out.append(number & 127 | 128); number >>= 7
    return bytes(out + bytes([number]))

for depth in (99, 100, 101, 5_000, 1_000_000):
    try:
        parse_schema(arrays(depth))
        print("deep schema taken", depth)
    except SchemaError as error:
        assert error.error_code == "MESH-A002", error

deepest = record(field("a", json.loads(arrays(62))))
wide = record(field("a", {"type": "array", "items": record(field("x", ["null", "int"]), name="I")}))
kinds = [deepest, wide, record(field("a", {"type": "map", "values": "int"})), record(field("a", "bytes"))]
for tree in kinds:
    schema = parse_schema(json.dumps(tree))
    for engine in ("", "fastavro"):
        codec = codec_for(schema, "fastavro") if engine or declines(schema) else PyruhvroCodec(schema)
        hostile = [b"\\x02" * length for length in (99, 100, 101, 5_000, 20_000)]
        hostile += [b"\\x02" * 1_000_000] if tree is deepest and engine else []
        hostile += [long(2**power) + b"\\x00" for power in (20, 40, 62)]
        hostile += [long(-(2**power)) + long(2**power) + b"\\x00" for power in (20, 40, 62)]
        hostile += [b"Obj\\x01\\x04\\x14avro.codec\\x0edeflate\\x00"]
        for datum in hostile:
            begun = time.process_time()
            found = codec.decode_with_poison([datum])
            assert time.process_time() - begun < 2, (tree, engine, datum[:20])
            assert len(found.indices) + len(found.poison) == 1
print("survived")
"""


def test_s01_s02_s03_no_event_of_an_accepted_schema_ends_or_holds_up_a_reader() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HOSTILE_DATA], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "survived"), ended.stderr[-2_000:]


def test_s01_what_refers_to_itself_is_valid_and_not_safe() -> None:
    text = json.dumps(record(field("next", ["null", "R"])))
    assert code_of(text) == "MESH-A010"
    found = parse_any_schema(text)
    assert not found.decode_safe
    assert [hazard.code for hazard in found.hazards] == ["MESH-A010"]


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "fixed", "name": "F", "size": 0},
        record(name="E"),
        record(field("x", "null"), name="E"),
    ],
)
def test_s02_what_has_items_of_no_bytes_is_valid_and_not_safe(items: object) -> None:
    text = json.dumps({"type": "array", "items": items})
    assert code_of(text) == "MESH-A011"
    found = parse_any_schema(text)
    assert not found.decode_safe
    assert [hazard.path for hazard in found.hazards] == ["$.items"]


def test_s02_one_byte_is_enough() -> None:
    assert parsed({"type": "array", "items": ["null"]}).decode_safe


def test_s05_of_random_names_exactly_those_of_the_specification_are_taken() -> None:
    rule = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
    source = random.Random(5)
    letters = "aZ_9.é /\\<>'\"\n\x00-$"
    names = ["".join(source.choices(letters, k=source.randint(1, 4))) for _ in range(2_000)]
    names += ["../../x", "<script>", "__class__", "a b", "x\u0301", "ａ"]
    for name in names:
        taken = code_of(record(field(name, "int"))) is None
        assert taken == (rule.fullmatch(name) is not None), name


def wide_unions(levels: int, width: int, kind: str, name: str = "A") -> Any:
    if levels == 0:
        return kind
    inside = (wide_unions(levels - 1, width, kind, f"{name}{index}") for index in range(width))
    return [record(field("x", part), name=f"{name}{index}") for index, part in enumerate(inside)]


def same_names(kind: str, count: int) -> list[dict[str, object]]:
    """Records of one simple name in many namespaces: each is a candidate for each."""
    fields = [field(f"f{index}", kind) for index in range(count)]
    return [record(*fields, name=f"n{branch}.B") for branch in range(count)]


def chain(length: int, kind: str) -> dict[str, object]:
    fields = [field("f0", record(field("x", kind), name="R0"))]
    for index in range(1, length):
        inside = record(field("x", ["null", f"R{index - 1}"]), field("y", f"R{index - 1}"), name=f"R{index}")
        fields.append(field(f"f{index}", inside))
    return record(*fields, name="Root")


def renamed(count: int, kind: str) -> dict[str, object]:
    aliases = [f"g{index}" for index in range(count)]
    return record(*(field(f"f{index}", kind, aliases=aliases) for index in range(count)))


HOSTILE_PAIRS = {
    "S06 8x8x8 unions": (wide_unions(3, 8, "int"), wide_unions(3, 8, "long")),
    "S06 8x8x8 unions that fail": (wide_unions(3, 8, "int"), wide_unions(3, 8, "string")),
    "S06 same names": (same_names("int", 40), same_names("string", 40)),
    "S06 chains": (chain(13, "int"), chain(13, "string")),
    "S06 aliases": (renamed(90, "int"), renamed(90, "string")),
    "S06 symbols": (of_symbols(10_000), {**of_symbols(9_999)}),
    "S06 fields": (of_nodes(9_999), record(*(field(f"g{index}", "int") for index in range(9_998)))),
    "S06 branches": (of_branches(100), [*of_branches(99), "int"]),
}


@pytest.mark.parametrize("pair", HOSTILE_PAIRS.values(), ids=HOSTILE_PAIRS.keys())
def test_s06_the_worst_pairs_are_compared_or_refused_within_a_second(pair: tuple[Any, Any]) -> None:
    one, two = (parsed(tree) for tree in pair)
    for reader, writer in ((one, two), (two, one), (one, one)):
        # Of three, the one that the machine disturbed least.
        assert any(seconds_to_compare(reader, writer) < 1.0 for _ in range(3))


def seconds_to_compare(reader: AvroSchema, writer: AvroSchema) -> float:
    begun = time.process_time()
    with contextlib.suppress(SchemaError):  # too complex is an answer too
        problems(reader, writer)
    return time.process_time() - begun


def test_s07_a_gigantic_default_counts_as_part_of_the_text() -> None:
    def with_default(size: int) -> str:
        empty = '{"type":"record","name":"R","fields":[{"name":"a","type":"string","default":""}]}'
        return empty.replace('"default":""', f'"default":"{"a" * (size - len(empty))}"')

    sizes = (limits.SCHEMA_BYTES - 1, limits.SCHEMA_BYTES, limits.SCHEMA_BYTES + 1)
    assert [code_of(with_default(size)) for size in sizes] == [None, None, "MESH-A002"]


def test_s07_a_default_that_takes_long_to_check_is_refused_in_time() -> None:
    inner: Any = "int"
    for level in range(12):
        inner = [record(field("x", inner), name=f"U{level}"), {"type": "array", "items": inner}][level % 2]
    value = json.loads("[" * 6 + "]" * 6)
    last = {"type": "fixed", "name": "Last", "size": 2}
    wide = {"type": "array", "items": [*of_branches(limits.UNION_BRANCHES - 1), last]}
    begun = time.process_time()
    assert code_of(record(field("a", inner, default=value))) == "MESH-A009"
    assert code_of(record(field("a", wide, default=["x" * 2] * 5_000))) == "MESH-A002"
    assert time.process_time() - begun < 2.0


def test_every_schema_that_the_codec_takes_is_safe_to_decode_with() -> None:
    schema = parsed(record(field("x", "int")))
    assert schema.decode_safe
    assert codec_for(schema).schema == schema
