"""Checks of effects: what handlers and pipelines did, compared with what is on the topic they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from mesh_platform.chaos.checks import Check, History
from mesh_platform.chaos.final import Final, Sink
from mesh_platform.chaos.report import Finding


def effect_twice(history: History, final: Final) -> Iterator[Finding]:
    """An event, or a record, with more than one effect."""
    for name, sink in final.sinks.items():
        for cause, count in Counter(effect.cause for effect in sink.effects).items():
            if count > 1:
                yield Finding("effect_twice", f"{name}: {cause} has {count} effects")


def effect_missing(history: History, final: Final) -> Iterator[Finding]:
    """An event, or a record, of the topic without an effect."""
    for name, sink in final.sinks.items():
        there = {effect.cause for effect in sink.effects}
        for cause in sorted(due(sink, final) - there):
            yield Finding("effect_missing", f"{name}: {cause} has none")


def effect_unexpected(history: History, final: Final) -> Iterator[Finding]:
    """An effect of what is not on the topic."""
    for name, sink in final.sinks.items():
        there = {effect.cause for effect in sink.effects}
        for cause in sorted(there - due(sink, final)):
            yield Finding("effect_unexpected", f"{name}: {cause} has one, and is not on {sink.topic}")


def effect_order(history: History, final: Final) -> Iterator[Finding]:
    """Effects of one key in another order than its events were sent; repeats do not count."""
    for name, sink in final.sinks.items():
        last: dict[tuple[str, str], int] = {}
        seen: set[str] = set()
        for effect in sink.effects:
            if effect.value in seen:
                continue
            seen.add(effect.value)
            proc, _, number = effect.value.rpartition("-")
            if int(number) < last.get((effect.key, proc), -1):
                yield Finding("effect_order", f"{name}: {effect.value} of {effect.key} comes too late")
            last[effect.key, proc] = int(number)


def due(sink: Sink, final: Final) -> set[str]:
    """What must have one effect each."""
    cause = _CAUSES[sink.by]
    return {
        cause(partition, record.offset, record.id)
        for (topic, partition), records in final.records.items()
        if topic == sink.topic
        for record in records
    }


_CAUSES: dict[str, Callable[[int, int, str], str]] = {
    "event": lambda _partition, _offset, event_id: event_id,
    "record": lambda partition, offset, _event_id: f"{partition}/{offset}",
}
CHECKS: tuple[Check, ...] = (effect_twice, effect_missing, effect_unexpected, effect_order)
