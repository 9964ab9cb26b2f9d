"""A few events in hand are sent exactly as columns of them would be, or are left to columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.codec.plain import FEW
from mesh.errors import EventError
from mesh.event import EventIds
from mesh.parcels import Few, Packer, Parcel
from mesh.port import OutputPort
from tests.unit.contract_kit import contract_of, field
from tests.unit.publishing_kit import NOW

WHEN = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROPERTIES = [
    field("name", primaryKey=True, required=True),
    field("level", "integer", required=True, logicalTypeOptions={"minimum": 0, "maximum": 100}),
    field("share", "number"),
    field("note", logicalTypeOptions={"maxLength": 3}),
    field("at", "timestamp"),
]
TIMED = OutputPort(contract_of(PROPERTIES, custom={"eventTime": "at"}))
UNTIMED = OutputPort(contract_of(PROPERTIES))
EVENT = {"name": "a", "level": 1, "share": 0.5, "note": "n", "at": WHEN}
EVENTS = st.fixed_dictionaries(
    {"name": st.text(max_size=3), "level": st.integers(-1, 101) | st.just(2**40)},
    optional={
        "share": st.none() | st.floats() | st.integers(-5, 5) | st.just("x"),
        "note": st.none() | st.text(max_size=4),
        "at": st.none() | st.datetimes(timezones=st.timezones()) | st.datetimes(),
    },
)


def packer(port: OutputPort) -> Packer:
    return Packer(port, 7, EventIds(b"\1" * 8), lambda: NOW)


def sent(port: OutputPort, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, most: int) -> Any:
    """What the parcels hold that so many events at most in hand make, or the code of the refusal."""
    monkeypatch.setattr("mesh.parcels.FEW", most)
    packing = packer(port)
    try:
        checked = packing.check(events, "dead-letter")
    except EventError as error:
        return error.error_code, error.where
    return [shown(parcel) for chunk in checked.chunks for parcel in packing.parcels(checked, chunk)]


def shown(parcel: Parcel) -> Any:
    return parcel.topic, list(parcel.keys), list(parcel.values), list(parcel.headers), list(parcel.times_ms)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([TIMED, UNTIMED]), st.lists(EVENTS, min_size=1, max_size=3))
def test_a_few_events_are_sent_as_columns_of_them_would_be(
    port: OutputPort, events: list[dict[str, Any]]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert sent(port, events, monkeypatch, FEW) == sent(port, events, monkeypatch, 0)


@pytest.mark.parametrize("port", [TIMED, UNTIMED], ids=["timed", "untimed"])
@pytest.mark.parametrize(
    ("count", "in_hand"), [(1, True), (FEW, True), (FEW + 1, False)], ids=["one", "few", "many"]
)
def test_a_few_plain_events_do_not_become_columns(port: OutputPort, count: int, in_hand: bool) -> None:
    (chunk,) = packer(port).check([EVENT] * count, "reject").chunks
    assert (isinstance(chunk, Few), chunk.count, chunk.refused) == (in_hand, count, 0)


@pytest.mark.parametrize(
    ("port", "event"),
    [
        (TIMED, {**EVENT, "at": None}),
        (TIMED, {**EVENT, "level": 101}),
        (UNTIMED, {**EVENT, "note": "long"}),
    ],
    ids=["without its time", "a broken rule", "too long a text"],
)
def test_what_breaks_a_rule_or_lacks_its_time_is_looked_at_as_columns(
    port: OutputPort, event: dict[str, Any]
) -> None:
    (chunk,) = packer(port).check([EVENT, event], "mark").chunks
    assert not isinstance(chunk, Few)


def test_a_trace_and_ids_of_the_caller_reach_the_headers() -> None:
    packing, trace = packer(TIMED), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    checked = packing.check([EVENT], "reject", ["mine"], trace)
    ((parcel,),) = [packing.parcels(checked, chunk) for chunk in checked.chunks]
    (headers,) = [dict(own) for own in parcel.headers]
    assert (headers["ce_id"], headers["traceparent"]) == (b"mine", trace.encode())
    assert headers["ce_time"] == b"2026-05-01T12:00:00.000000Z"
