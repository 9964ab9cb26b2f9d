"""A few events are read without Arrow, and nobody can tell: the same rows, columns and poison."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesh.codec import codec_for
from mesh.codec.plain import FEW, NotPlain
from mesh.codec.plain_reading import FewEvents, plain_reader
from mesh.codec.reference import FastavroCodec
from mesh.codec.storage import to_arrow
from mesh.codec.structs import as_batch
from mesh.decoding import Decoder
from mesh.errors import EventError, Position
from mesh.event import frame_prefix, violation_header
from mesh.event.record import Record
from mesh.port import OutputPort
from mesh.rows import rows_of_arrow
from mesh.schema import AvroSchema
from mesh.years import rows_beyond
from tests.unit.codec_cases import BEYOND, LOGICAL, PROVEN, events, mutated, record
from tests.unit.contract_kit import contract_of, field
from tests.unit.fault_server import Time
from tests.unit.subscription_kit import Script

PORT = OutputPort(
    contract_of(
        [
            field("name", required=True, logicalTypeOptions={"maxLength": 3}),
            field("level", "integer", required=True, logicalTypeOptions={"minimum": 0, "maximum": 100}),
            field("at", "timestamp"),
        ]
    )
)
RULES = [rule.name for rule, _ in PORT.guard.rows._rules] if PORT.guard.rows else []
NEVER = 2**62  # microseconds: a time that no calendar has
Drawn = tuple[AvroSchema, list[dict[str, Any]]]


def read(codec: FastavroCodec, datums: list[bytes]) -> FewEvents | None:
    """The events, None where they ask for a closer look."""
    reader = plain_reader(codec)
    assert reader is not None
    try:
        few = reader.read(datums)
        few.rows()
    except NotPlain:
        return None
    return few


@settings(max_examples=300, deadline=None)
@given(events(PROVEN + LOGICAL + BEYOND))
def test_rows_and_columns_are_those_that_arrow_gives(drawn: Drawn) -> None:
    schema, stored = drawn
    codec = FastavroCodec(schema)
    assume(plain_reader(codec) is not None)
    batch = as_batch(to_arrow(pa.array(stored, codec.layout.storage), codec.layout), codec.arrow_schema)
    few = read(codec, codec.encode(batch))
    if few is None:
        assert rows_beyond(batch), "only a time that no calendar has asks for a closer look"
        return
    assert few.num_rows == batch.num_rows
    assert repr(few.rows()) == repr(rows_of_arrow(batch))
    assert few.batch().equals(batch)


@settings(max_examples=300, deadline=None)
@given(events(PROVEN + LOGICAL + BEYOND), st.data())
def test_bytes_that_were_tampered_with_are_read_as_arrow_reads_them_or_not_at_all(
    drawn: Drawn, data: st.DataObject
) -> None:
    schema, stored = drawn
    assume(stored)
    codec = FastavroCodec(schema)
    assume(plain_reader(codec) is not None)
    batch = as_batch(to_arrow(pa.array(stored, codec.layout.storage), codec.layout), codec.arrow_schema)
    datums = [data.draw(mutated(datum)) for datum in codec.encode(batch)]
    few = read(codec, datums)
    if few is not None:
        wanted = codec_for(schema).decode(datums)
        assert few.batch().equals(wanted)
        assert repr(few.rows()) == repr(rows_of_arrow(wanted))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ({"type": "int", "logicalType": "date"}, b"\xfe\xff\xff\xff\x0f"),
        ({"type": "long", "logicalType": "timestamp-millis"}, b"\xfe" + 8 * b"\xff" + b"\x01"),
        ({"type": "long", "logicalType": "local-timestamp-micros"}, b"\xff" + 8 * b"\xff" + b"\x01"),
    ],
    ids=["day", "instant", "local time"],
)
def test_a_time_that_no_calendar_has_asks_for_a_closer_look(kind: Any, raw: bytes) -> None:
    codec = FastavroCodec(record(kind))
    assert read(codec, [raw]) is None
    assert rows_beyond(codec.decode([raw])) == [0]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("int", b"\x80\x80\x80\x80\x10"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 1}, b"\x02\x64"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 1}, b"\x82\x01" + 65 * b"\0"),
    ],
    ids=["33 bits", "digits", "bytes of a decimal"],
)
def test_a_value_that_its_type_does_not_hold_asks_for_a_closer_look(kind: Any, raw: bytes) -> None:
    codec = FastavroCodec(record(kind))
    assert read(codec, [raw]) is None
    with pytest.raises(EventError, match="range of its type"):
        codec.decode([raw])


@pytest.mark.parametrize(
    "kind", [["string", "long"], {"type": "int", "logicalType": "time-millis"}], ids=["union", "time of day"]
)
def test_what_a_row_cannot_be_read_from_is_left_to_columns(kind: Any) -> None:
    assert plain_reader(FastavroCodec(record(kind))) is None


def test_whoever_changes_a_row_changes_nothing_else() -> None:
    codec = FastavroCodec(record({"type": "array", "items": "string"}, {"type": "map", "values": "long"}))
    batch = pa.RecordBatch.from_pylist([{"f0": ["a"], "f1": [("k", 1)]}], schema=codec.arrow_schema)
    few = read(codec, codec.encode(batch))
    assert few is not None
    (row,) = few.rows()
    row["f0"].append("b")
    row["f1"].clear()
    row["f2"] = None
    assert few.rows() == [{"f0": ["a"], "f1": [("k", 1)]}]
    assert few.batch().equals(batch)


class Registry(Script):
    """Knows one schema."""

    def schema(self, schema_id: int) -> AvroSchema:
        return PORT.schema


def decoded(messages: list[Record], monkeypatch: pytest.MonkeyPatch, most: int) -> Any:
    """What becomes of messages when so many at most are read one by one."""
    monkeypatch.setattr("mesh.decoding.FEW", most)
    batch, poison = Decoder(PORT, Registry(Time())).decode(messages)  # type: ignore[arg-type]
    bad = [(message.offset(), error.error_code, error.why) for message, error in poison]
    return repr(batch.rows()), batch.events, len(batch), [message.offset() for message in batch.messages], bad


@st.composite
def message(draw: st.DrawFn, offset: int) -> Record:
    """An event of the port: sound, beyond a rule or the calendar, marked or not; or what is none."""
    level = draw(st.integers(-1, 101) | st.integers(0, 100))
    stored = {"name": draw(st.text(max_size=4)), "level": level}
    at = draw(st.none() | st.integers(0, 2**50) | st.sampled_from([NEVER, -NEVER]))
    codec = PORT.codec.reference
    batch = codec.columns([stored | {"at": at}])
    value: bytes | None = codec.encode(batch, frame_prefix(1))[0]
    spoil = draw(st.sampled_from(["", "", "", "", "cut", "tombstone"]))
    marks = draw(st.none() | st.lists(st.sampled_from(RULES)))
    headers = () if marks is None else (violation_header(marks),)
    value = {"cut": (value or b"")[:-1], "tombstone": None}.get(spoil, value)
    return Record(Position("t", 0, offset), b"k", value, headers)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 4), st.data())
def test_a_few_messages_come_to_the_same_as_they_do_by_columns(count: int, data: st.DataObject) -> None:
    messages = [data.draw(message(offset)) for offset in range(count)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert decoded(messages, monkeypatch, FEW) == decoded(messages, monkeypatch, 0)


@pytest.mark.parametrize(("count", "few"), [(1, True), (FEW, True), (FEW + 1, False)])
def test_up_to_so_many_messages_are_read_one_by_one(count: int, few: bool) -> None:
    columns = PORT.codec.reference.columns([{"name": "a", "level": 1, "at": 0}] * count)
    values = PORT.codec.encode(columns, frame_prefix(1))
    messages = [Record(Position("t", 0, number), None, value) for number, value in enumerate(values)]
    batch, poison = Decoder(PORT, Registry(Time())).decode(messages)  # type: ignore[arg-type]
    assert (isinstance(batch._held, FewEvents), len(batch), poison) == (few, count, [])
