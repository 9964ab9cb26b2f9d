"""The frame around an event and the facts in its headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import limits
from mesh.errors import EventError, Position
from mesh.event import (
    Envelope,
    EventIds,
    Stamp,
    dead_letter_headers,
    frame,
    frame_prefix,
    framing,
    schema_header,
    unframe,
    unframe_batch,
    without_dead_letter_headers,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
POSITION = Position("operations.departures.v1", 3, 42)


@given(st.integers(1, 2**31 - 1), st.binary(max_size=20))
def test_what_is_framed_comes_out_of_its_frame(schema_id: int, datum: bytes) -> None:
    assert unframe(frame(schema_id, datum)) == (schema_id, datum)


def test_the_frame_is_a_zero_and_the_id_in_four_big_endian_bytes() -> None:
    assert frame(258, b"x") == b"\x00\x00\x00\x01\x02x"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "MESH-E010"),
        (b"", "MESH-E011"),
        (b"\x00\x00\x00\x01", "MESH-E011"),
        (b"\x01\x00\x00\x00\x01x", "MESH-E012"),
        (b"\x00\x00\x00\x00\x00x", "MESH-E012"),
        (b"\x00\xff\xff\xff\xffx", "MESH-E012"),
    ],
)
def test_a_value_that_is_not_framed_is_refused_with_its_code(value: bytes | None, code: str) -> None:
    with pytest.raises(EventError) as caught:
        unframe(value)
    assert caught.value.error_code == code


@pytest.mark.parametrize("schema_id", [0, -1, 2**31])
def test_an_id_that_no_registry_gives_is_not_framed(schema_id: int) -> None:
    with pytest.raises(EventError):
        frame_prefix(schema_id)


VALUES = (
    st.none()
    | st.binary(max_size=8)
    | st.builds(frame, st.integers(1, 3), st.binary(max_size=4))
    | st.just(b"\x00\x00\x00\x00\x01")
)


@given(st.lists(VALUES, max_size=12))
def test_every_value_of_a_batch_is_in_exactly_one_place(values: list[bytes | None]) -> None:
    parts = unframe_batch(values)
    seen = [index for group in parts.groups for index in group.indices]
    seen += [*parts.tombstones, *(poison.index for poison in parts.poison)]
    assert sorted(seen) == list(range(len(values)))
    for group in parts.groups:
        assert [frame(group.schema_id, datum) for datum in group.datums] == [values[i] for i in group.indices]


def test_a_batch_of_one_schema_is_one_group() -> None:
    (group,) = unframe_batch([frame(7, b"a"), frame(7, b"b")]).groups
    assert (group.schema_id, list(group.indices), group.datums) == (7, [0, 1], [b"a", b"b"])


def test_a_batch_of_unframed_values_is_all_poison() -> None:
    assert [poison.index for poison in unframe_batch([b"\x01aaaaa", b"\x01aaaab"]).poison] == [0, 1]


GUID = UUID("b6ce7e31-3f56-4e6d-9a3c-0d5d4a1f2e10")


def test_a_guid_goes_into_a_header_and_an_id_before_the_datum() -> None:
    assert framing(GUID) == (b"", (("__value_schema_id", b"\x01" + GUID.bytes),))
    assert framing(7) == (frame_prefix(7), ())


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x02" + bytes(16), bytes(5), b"\x00" + bytes(16)])
def test_a_header_that_names_no_schema_is_poison(raw: bytes) -> None:
    parts = unframe_batch([frame(7, b"a")], lambda _: [("__value_schema_id", raw)])
    assert [one.error.error_code for one in parts.poison] == ["MESH-E033"]


BY_ID = ("__value_schema_id", frame_prefix(7))
FRAMINGS = st.one_of(
    st.tuples(st.none(), st.sampled_from([None, schema_header(GUID)])),
    st.tuples(
        st.binary(max_size=8), st.sampled_from([schema_header(GUID), ("__value_schema_id", frame_prefix(7))])
    ),
    st.tuples(st.builds(frame, st.integers(1, 2), st.binary(max_size=2)), st.just(("other", b""))),
    st.tuples(st.binary(max_size=8), st.none()),
)


@given(st.lists(FRAMINGS, max_size=8), st.sampled_from([1, 40]))
def test_events_of_both_framings_are_told_apart(
    drawn: list[tuple[bytes | None, tuple[str, bytes] | None]], times: int
) -> None:
    events = drawn * times
    parts = unframe_batch([value for value, _ in events], lambda index: [h for h in [events[index][1]] if h])
    seen = {index: group.schema_id for group in parts.groups for index in group.indices}
    datums = {
        i: datum for group in parts.groups for i, datum in zip(group.indices, group.datums, strict=True)
    }
    for index, (value, header) in enumerate(events):
        if value is None:
            assert index in parts.tombstones
        elif header is not None and header[0] == "__value_schema_id":
            assert (seen[index], datums[index]) == (GUID if len(header[1]) == 17 else 7, value)
        elif index in seen:
            assert (seen[index], datums[index]) == unframe(value)
        else:
            assert index in [one.index for one in parts.poison]


def test_an_event_without_a_schema_header_is_not_asked_twice() -> None:
    asked: list[int] = []
    unframe_batch([frame(7, b"%d" % n) for n in range(100)], lambda index: asked.append(index))
    assert asked == [0]


def test_an_envelope_survives_its_headers() -> None:
    envelope = Envelope(
        id="1",
        source="/operations/x",
        type="operations.departures.v1",
        time=AT,
        content_type="application/avro",
        dataschema="http://registry/schemas/ids/1",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    assert Envelope.from_headers(envelope.headers()) == envelope


def test_headers_are_named_as_cloudevents_binds_them_to_kafka() -> None:
    headers = dict(Stamp("/operations/x", "operations.departures.v1").headers(b"1", b"2026-01-01T00:00:00Z"))
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"1",
        "ce_source": b"/operations/x",
        "ce_type": b"operations.departures.v1",
        "ce_time": b"2026-01-01T00:00:00Z",
        "content-type": b"application/avro",
    }


@pytest.mark.parametrize("many", [3, 300])
def test_a_header_that_one_of_many_tells_is_looked_for_on_all(many: int) -> None:
    """Bare datums that look as if they were framed, and one event that is."""
    values = [frame(7, b"%d" % number) for number in range(many)]
    parts = unframe_batch([*values, frame(9, b"x")], lambda at: [schema_header(GUID)] if at < many else [])
    assert {group.schema_id: group.datums for group in parts.groups} == {GUID: values, 9: [b"x"]}


def test_many_events_of_several_schemas_keep_their_places_and_bytes() -> None:
    values = [frame(number % 3 + 1, b"%d" % number) for number in range(300)] + [b"poison", None]
    parts = unframe_batch(values)
    assert {group.schema_id: (list(group.indices), group.datums) for group in parts.groups} == {
        schema_id: (places, [b"%d" % place for place in places])
        for schema_id in (1, 2, 3)
        for places in [list(range(schema_id - 1, 300, 3))]
    }
    assert ([one.index for one in parts.poison], parts.tombstones) == ([300], (301,))


def test_headers_of_many_events_differ_in_id_and_time_only() -> None:
    stamp = Stamp("/operations/x", "operations.departures.v1")
    first, second = stamp.each([b"1", b"2"], [b"t1", b"t2"])
    assert (first, second) == (stamp.headers(b"1", b"t1"), stamp.headers(b"2", b"t2"))


@given(
    st.none()
    | st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_time", "ce_source", "content-type", "traceparent", "x"]),
            st.none() | st.binary(max_size=30) | st.text(max_size=10),
        )
    )
)
def test_no_headers_are_so_bad_that_reading_them_raises(
    headers: list[tuple[str, bytes | str | None]] | None,
) -> None:
    Envelope.from_headers(headers)


def test_an_attribute_that_is_missing_or_unreadable_is_none() -> None:
    envelope = Envelope.from_headers([("ce_id", b"\xff"), ("ce_time", b"yesterday"), ("ce_type", b"t")])
    assert (envelope.id, envelope.time, envelope.source, envelope.type) == (None, None, None, "t")


def test_times_are_sent_in_utc() -> None:
    abroad = AT.astimezone(timezone(timedelta(hours=2)))
    assert dict(Envelope(time=abroad).headers())["ce_time"] == b"2026-01-02T03:04:05.000600Z"


def test_ids_of_one_publisher_differ_and_two_publishers_share_none() -> None:
    first, second = EventIds(b"\x00" * 8), EventIds(b"\x01" * 8)
    found = [*first.take(500), next(first), *first.take(500), *second.take(1_000)]
    assert len(set(found)) == 2_001


def test_a_dead_letter_keeps_its_headers_and_says_why_in_both_vocabularies() -> None:
    own: list[tuple[str, bytes | None]] = [("ce_id", b"1"), ("x", None), ("x", b"2")]
    error = EventError("it does not decode", code="MESH-E030", why="truncated")
    headers = dead_letter_headers(own, error=error, position=POSITION, group="punctuality.reports")
    assert headers[:3] == own
    facts = dict(headers[3:])
    assert facts["mesh.dlq.code"] == b"MESH-E030"
    assert facts["mesh.dlq.reason"] == facts["__streams.errors.message"] == b"it does not decode"
    assert facts["mesh.dlq.why"] == b"truncated"
    assert facts["mesh.dlq.group"] == b"punctuality.reports"
    assert facts["__streams.errors.topic"] == b"operations.departures.v1"
    assert facts["__streams.errors.partition"] == b"3"
    assert facts["__streams.errors.offset"] == b"42"
    assert facts["__streams.errors.exception"] == b"mesh.errors.EventError"
    assert b"EventError" in (facts["__streams.errors.stacktrace"] or b"")


def test_a_replay_sends_the_headers_an_event_had() -> None:
    own: list[tuple[str, bytes | None]] = [("ce_id", b"1"), ("x", None)]
    buried = dead_letter_headers(own, error=ValueError("no"), position=POSITION, group="g")
    assert without_dead_letter_headers(buried) == own


@pytest.mark.parametrize("size", [limits.HEADER_BYTES - 1, limits.HEADER_BYTES, limits.HEADER_BYTES + 1])
def test_a_dead_letter_header_stays_within_its_budget(size: int) -> None:
    headers = dict(dead_letter_headers([], error=EventError("é" * size), position=POSITION, group="g"))
    for raw in headers.values():
        assert len(raw or b"") <= limits.HEADER_BYTES
        (raw or b"").decode()


def test_a_handler_s_own_error_is_told_apart() -> None:
    headers = dict(dead_letter_headers([], error=KeyError("tail"), position=POSITION, group="g"))
    assert headers["mesh.dlq.code"] == b"MESH-E090"
