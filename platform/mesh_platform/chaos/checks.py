"""Checks: a history and what is left in the end, compared. Each is a pure function named after what it finds.

The names are Jepsen's where it has one: `aborted_read` is its G1a, and `info` is never taken for a failure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mesh_platform.chaos.final import Final, Group, Record
from mesh_platform.chaos.history import Line, Place
from mesh_platform.chaos.report import Finding

History = Sequence[Line]
Check = Callable[[History, Final], Iterator[Finding]]


def lost_write(history: History, final: Final) -> Iterator[Finding]:
    """Acknowledged at an offset that was passed by a reader, and nobody ever read it there."""
    read: dict[Place, dict[int, str | None]] = defaultdict(dict)
    for place, offset, value in _reads(history, final):
        read[place][offset] = value
    last = {place: max(values) for place, values in read.items() if values}
    for line in _said(history, "send", "ok"):
        for off, v in line.events:
            if -1 < off < last.get(line.place, -1) and off not in read[line.place]:
                yield Finding("lost_write", f"{v} at {line.place} {off} was passed unread", line.t)


def lost(history: History, final: Final) -> Iterator[Finding]:
    """Acknowledged, or part of a committed transaction, and not there in the end."""
    there = {record.value for records in final.records.values() for record in records}
    for line in _said(history, "send", "ok"):
        for off, v in line.events:
            if v not in there:
                yield Finding("lost", f"{v} at {line.place} {off} is gone", line.t)
    for line in _said(history, "txn", "ok"):
        if not there.intersection(line.vs):
            yield Finding("lost", f"committed transaction {line.v} is gone", line.t)


def duplicated(history: History, final: Final) -> Iterator[Finding]:
    """One value more often than it was sent; or, sent again after a death, under another event id."""
    tries = Counter(v for line in history if line.type == "invoke" for v in _values(line))
    at: dict[str, set[tuple[Place, int]]] = defaultdict(set)
    for place, offset, value in _reads(history, final):
        if value is not None:
            at[value].add((place, offset))
    for value, places in at.items():
        if len(places) > max(tries[value], 1):
            yield Finding("duplicated", f"{value}, sent {tries[value]} times, is at {sorted(places)}")
    ids: dict[str, str] = {}
    for records in final.records.values():
        for record in records:
            if record.value is not None and ids.setdefault(record.value, record.id) != record.id:
                yield Finding("duplicated", f"{record.value} has the ids {ids[record.value]} and {record.id}")


def inconsistent_offsets(history: History, final: Final) -> Iterator[Finding]:
    """Two values at one offset, whoever says so."""
    held: dict[tuple[Place, int], set[str | None]] = defaultdict(set)
    for line in history:
        if line.type == "ok" and line.f in ("send", "put"):
            for off, v in line.events:
                if off >= 0:
                    held[line.place, off].add(v)
    for place, offset, value in _reads(history, final):
        held[place, offset].add(value)
    for (place, offset), values in held.items():
        if len(values) > 1:
            yield Finding("inconsistent_offsets", f"{sorted(map(str, values))} at {place} {offset}")


def unexpected(history: History, final: Final) -> Iterator[Finding]:
    """Read, but never sent."""
    sent = {v for line in history if line.type == "invoke" for v in _values(line)}
    for place, offset, value in _reads(history, final):
        if value is not None and value not in sent:
            yield Finding("unexpected", f"{value} at {place} {offset} was never sent")


def aborted_read(history: History, final: Final) -> Iterator[Finding]:
    """Part of an aborted transaction, or of a send that certainly failed, and yet read (G1a)."""
    void = {value for line in _said(history, "txn", "fail") for value in line.vs}
    void |= {v for line in _said(history, "send", "fail") for _, v in line.events if v is not None}
    for place, offset, value in _reads(history, final):
        if value in void:
            yield Finding("aborted_read", f"{value} at {place} {offset}")


def torn(history: History, final: Final) -> Iterator[Finding]:
    """A transaction of which a part is there: some of its values, or values without offset, or only that."""
    there = {record.value for records in final.records.values() for record in records}
    expected: dict[Group, int] = {}
    for line in _said(history, "txn", "invoke"):
        seen = there.intersection(line.vs)
        if seen and len(seen) < len(line.vs):
            yield Finding("torn", f"{line.v}: {len(seen)} of {len(line.vs)} values", line.t)
        slot = (line.k or "", *line.place)
        expected[slot] = max(expected.get(slot, -1), line.off if seen else -1)
    for slot, offset in expected.items():
        if (found := final.commits.get(slot, -1)) != offset:
            yield Finding("torn", f"{slot} stands at {found}, its values say {offset}")


def inverted_order(history: History, final: Final) -> Iterator[Finding]:
    """A producer's values in another order than it sent them, within one partition; repeats do not count."""
    for place, records in final.records.items():
        last: dict[str, int] = {}
        seen: set[str] = set()
        for record in sorted(records, key=lambda record: record.offset):
            proc, _, number = (record.value or "").rpartition("-")
            if not number.isdigit() or record.value in seen:
                continue
            seen.add(str(record.value))
            if int(number) < last.get(proc, -1):
                yield Finding("inverted_order", f"{record.value} at {place} {record.offset} comes too late")
            last[proc] = max(last.get(proc, -1), int(number))


def split_key(history: History, final: Final) -> Iterator[Finding]:
    """A key in two partitions of one topic: nothing orders its events then."""
    homes: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (topic, partition), records in final.records.items():
        for key in {record.key for record in records}:
            if key is not None:
                homes[topic, key].add(partition)
    for (topic, key), partitions in homes.items():
        if len(partitions) > 1:
            yield Finding("split_key", f"{key} of {topic} is in the partitions {sorted(partitions)}")


def nonmonotonic_poll(history: History, final: Final) -> Iterator[Finding]:
    """A consumer went back, or stood still, without being assigned anew."""
    for line, off, before in _steps(history):
        if off <= before:
            yield Finding("nonmonotonic_poll", f"{line.proc} {line.place}: {before}, {off}", line.t)


def poll_skip(history: History, final: Final) -> Iterator[Finding]:
    """A consumer jumped over what the final reader found between."""
    offsets = {place: sorted(record.offset for record in records) for place, records in final.records.items()}
    position = {
        place: {offset: index for index, offset in enumerate(found)} for place, found in offsets.items()
    }
    for line, off, before in _steps(history):
        index = position.get(line.place, {}).get(off, 0)
        if off > before and index and offsets[line.place][index - 1] > before:
            skipped = offsets[line.place][index - 1]
            yield Finding("poll_skip", f"{line.proc} {line.place}: from {before} over {skipped}", line.t)


def lost_commit(history: History, final: Final) -> Iterator[Finding]:
    """A group does not stand where it was last told it stands."""
    allowed: dict[Group, set[int]] = {}
    for line in history:
        slot = (line.k or "", *line.place)
        if line.f != "commit":
            continue
        if line.type == "ok":
            allowed[slot] = {line.off}
        elif line.type == "invoke":
            allowed.setdefault(slot, {-1}).add(line.off)
    for slot, offsets in allowed.items():
        if (found := final.commits.get(slot, -1)) not in offsets:
            yield Finding("lost_commit", f"{slot} stands at {found}, not at {sorted(offsets)}")


def stale_key(history: History, final: Final) -> Iterator[Finding]:
    """A compacted topic shows an older value of a key than one acknowledged, or none where one must be."""
    latest: dict[str, Line] = {}
    unknown: dict[str, set[str | None]] = defaultdict(set)
    for line in history:
        if line.f != "put" or line.k is None:
            continue
        if line.type == "invoke":
            unknown[line.k].add(line.v)
        elif line.type == "ok":
            latest[line.k] = line
            unknown[line.k] = set()
    shown: dict[str, Record] = {}
    for place, records in final.records.items():
        for record in sorted(records, key=lambda record: record.offset):
            if record.key is not None and place[0] in {line.topic for line in latest.values()}:
                shown[record.key] = record
    for key, line in latest.items():
        found = shown.get(key)
        if found is None:
            if line.v is not None and None not in unknown[key]:
                yield Finding("stale_key", f"{key} is gone; {line.v} at {line.place} {line.off}", line.t)
        elif found.offset < line.off:
            yield Finding("stale_key", f"{key} shows {found}; {line.v} came at {line.off}", line.t)


def lost_topic(history: History, final: Final) -> Iterator[Finding]:
    """A topic that was made is not there, or one that was deleted is."""
    for topic, states in _topics(history).items():
        if (topic in final.topics) not in states:
            yield Finding("lost_topic", f"{topic} is {'there' if topic in final.topics else 'gone'}")


def unfinished(history: History, final: Final) -> Iterator[Finding]:
    """A value whose outcome nobody ever learned, or a producer that its client gave up."""
    known: set[str | None] = set()
    for line in history:
        if line.f in ("send", "put") and line.type in ("ok", "fail"):
            known.update(value for _, value in line.events)
    told: set[str | None] = set()
    for line in history:
        if line.f == "fatal":
            yield Finding("unfinished", f"{line.proc}: {line.v}", line.t)
        elif line.f in ("send", "put") and line.type == "invoke":
            for _, value in line.events:
                if value not in known and value not in told:
                    told.add(value)
                    yield Finding("unfinished", f"{value} at {line.place}", line.t)


CHECKS: tuple[Check, ...] = (
    lost_write,
    lost,
    duplicated,
    inconsistent_offsets,
    unexpected,
    aborted_read,
    torn,
    inverted_order,
    split_key,
    nonmonotonic_poll,
    poll_skip,
    lost_commit,
    stale_key,
    lost_topic,
)


def verify(history: History, final: Final, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """What every check finds."""
    return [finding for check in checks for finding in check(history, final)]


def _said(history: History, f: str, outcome: str) -> Iterator[Line]:
    return (line for line in history if line.f == f and line.type == outcome)


def _reads(history: History, final: Final) -> Iterable[tuple[Place, int, str | None]]:
    for line in _said(history, "poll", "ok"):
        for off, v in line.events:
            yield line.place, off, v
    for place, records in final.records.items():
        for record in records:
            yield place, record.offset, record.value


def _values(line: Line) -> Iterable[str]:
    """What a line says was to be written."""
    if line.f == "txn":
        return line.vs
    return [v for _, v in line.events if v is not None] if line.f in ("send", "put") else ()


def _steps(history: History) -> Iterator[tuple[Line, int, int]]:
    """Each offset polled and the one before it, of one consumer on one partition since it was assigned."""
    at: dict[tuple[str, Place], int] = {}
    for line in history:
        if line.f == "assign":
            at.pop((line.proc, line.place), None)
        elif line.f == "poll":
            for off, _ in line.events:
                if (before := at.get((line.proc, line.place))) is not None:
                    yield line, off, before
                at[line.proc, line.place] = off


def _topics(history: History) -> Mapping[str, set[bool]]:
    """Whether each topic may be there: both where the last word is unknown."""
    states: dict[str, set[bool]] = {}
    for line in history:
        if line.f in ("create", "delete"):
            wished = line.f == "create"
            if line.type == "ok":
                states[line.topic] = {wished}
            elif line.type == "invoke":
                states.setdefault(line.topic, {False}).add(wished)
    return states
