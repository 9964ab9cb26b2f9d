"""What a publisher makes of events, and what it says of those that do not get through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.errors import EventError, NotAcknowledged, UsageError
from mesh.event import violations
from mesh.parcels import CHUNK
from mesh.publishing import Published
from tests.unit.publishing_kit import Remembering, publisher, rows

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BROKEN = 101  #: a level that is too high


def test_a_rejected_event_lets_nothing_of_its_call_through() -> None:
    sender = Remembering()
    with pytest.raises(EventError) as refusal:
        publisher(sender).many(rows(1, BROKEN))
    assert (refusal.value.error_code, sender.sent) == ("MESH-E020", [])


def test_a_broken_event_is_set_aside_and_the_others_are_published() -> None:
    sender = Remembering()
    done = publisher(sender).many(rows(1, BROKEN, 3), on_violation="dead-letter")
    assert done == Published(2, dead_letters=1)
    assert [topic for topic, *_ in sender.sent] == ["ops.flights.v1.dlq", "ops.flights.v1", "ops.flights.v1"]


def test_a_marked_event_is_published_in_its_place_and_names_the_rules_it_breaks() -> None:
    sender = Remembering()
    done = publisher(sender).many(rows(1, BROKEN, 3), on_violation="mark")
    marks = [violations(list(headers.items())) for *_, headers in sender.sent]
    assert done == Published(3, marked=1)
    assert [bool(mark) for mark in marks] == [False, True, False]
    assert marks[1] == set(json.loads(sender.sent[1][3]["mesh.violations"] or b""))


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"7", None])
def test_a_mark_that_cannot_be_read_names_no_rule(raw: bytes | None) -> None:
    assert violations([("mesh.violations", raw)]) == frozenset()


def test_a_publisher_may_say_once_what_becomes_of_broken_events() -> None:
    assert publisher(Remembering(), "dead-letter")(rows(BROKEN)[0]) == Published(0, dead_letters=1)


def test_a_word_that_says_nothing_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="ignore"):
        publisher(Remembering(), "ignore")  # type: ignore[arg-type]


def test_ids_of_the_caller_are_kept() -> None:
    sender = Remembering()
    publish = publisher(sender)
    publish.many(rows(1, BROKEN, 3), event_ids=["a", "b", "c"], on_violation="dead-letter")
    publish(rows(4)[0], event_id="d")
    assert sender.ids == ["b", "a", "c", "d"]


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"], ["a", ""]])
def test_each_event_has_one_id_or_none_is_given(ids: list[str]) -> None:
    with pytest.raises(EventError) as refusal:
        publisher(Remembering()).many(rows(1, 2), event_ids=ids)
    assert refusal.value.error_code == "MESH-E041"


def test_a_trace_is_named_by_hand() -> None:
    sender = Remembering()
    publisher(sender).many(rows(1, 2), traceparent=TRACE)
    assert [headers["traceparent"] for *_, headers in sender.sent] == [TRACE.encode()] * 2


@pytest.mark.parametrize("text", ["", "00", TRACE.upper(), TRACE + "-", "00-" + "0" * 32 + TRACE[35:]])
def test_what_is_no_trace_is_refused(text: str) -> None:
    with pytest.raises(EventError) as refusal:
        publisher(Remembering()).many(rows(1), traceparent=text)
    assert refusal.value.error_code == "MESH-E040"


def test_the_trace_that_is_active_is_found() -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    context = trace.SpanContext(
        0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, False, trace.TraceFlags(1)
    )
    sender = Remembering()
    with trace.use_span(trace.NonRecordingSpan(context)):
        publisher(sender).many(rows(1))
    publisher(sender).many(rows(2))
    assert [headers.get("traceparent") for *_, headers in sender.sent] == [TRACE.encode(), None]


def test_what_is_not_acknowledged_is_told_whole_and_the_rest_counted() -> None:
    sender = Remembering(refuses_at=5)
    levels = [number % 100 for number in range(2 * CHUNK + 3)]
    with pytest.raises(NotAcknowledged) as failure:
        publisher(sender).many(rows(*levels))
    error = failure.value
    assert (len(sender.sent), len(error.events), error.unsent) == (5, CHUNK - 5, CHUNK + 3)
    assert [event.key for event in error.events[:2]] == [b"n-5", b"n-6"]
    assert f"{CHUNK - 5:,} events, and the last {CHUNK + 3:,} of the call," in error.what
    assert (error.where, error.why) == ("ops.flights.v1/0", "refused")


def test_when_a_dead_letter_is_not_taken_the_events_behind_it_are_told_too() -> None:
    with pytest.raises(NotAcknowledged) as failure:
        publisher(Remembering(refuses_at=0)).many(rows(1, BROKEN, 3), on_violation="dead-letter")
    assert [event.topic for event in failure.value.events] == ["ops.flights.v1.dlq"] + ["ops.flights.v1"] * 2


def test_again_sends_exactly_what_was_not_acknowledged_with_its_ids() -> None:
    sender = Remembering(refuses_at=1)
    publish = publisher(sender)
    with pytest.raises(NotAcknowledged) as failure:
        publish.many(rows(1, 2, BROKEN), event_ids=["a", "b", "c"], on_violation="dead-letter")
    sender.refuses_at = None
    publish.again(failure.value)
    expected: Any = [("ops.flights.v1.dlq", "c"), ("ops.flights.v1", "a"), ("ops.flights.v1", "b")]
    assert list(zip([topic for topic, *_ in sender.sent], sender.ids, strict=True)) == expected


def test_a_publisher_is_closed_also_when_the_last_flush_fails() -> None:
    class Failing(Remembering):
        def flush(self) -> None:
            raise NotAcknowledged("no")

    sender = Failing()
    with pytest.raises(NotAcknowledged), publisher(sender) as publish:
        publish.many(rows(1))
    assert sender.closed
