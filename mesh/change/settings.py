"""What is said of the whole contract: key, event time, topic, mode of compatibility, status."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.change.bump import Bump
from mesh.change.model import BOTH, READER, Reason
from mesh.contract import durations
from mesh.contract.model import Contract

_TOPIC = "topic settings"


def settings_reasons(old: Contract, new: Contract) -> Iterator[Reason]:
    """Reasons for all that concerns the contract as a whole."""
    if old.topic != new.topic:
        sentence = f"Events go to {new.topic} now: whoever reads {old.topic} gets no more."
        yield Reason(Bump.MAJOR, "topic name", "topic", old.topic, new.topic, BOTH, sentence)
    if old.key != new.key:
        was, now = (" | ".join(contract.key) for contract in (old, new))
        sentence = (
            f"Events were kept together by {was or 'nothing'} and are now by {now or 'nothing'}: order, "
            "compaction and lookups are another matter."
        )
        yield Reason(Bump.MAJOR, "record key", "key", was, now, BOTH, sentence)
    if old.event_time != new.event_time:
        was, now = old.event_time or "", new.event_time or ""
        sentence = (
            f"An event's time was {was or 'that of publishing'} and is now {now or 'that of publishing'}: "
            "windows hold other events."
        )
        yield Reason(Bump.MAJOR, "event time", "event time", was, now, READER, sentence)
    yield from _topic(old, new)
    if old.compatibility != new.compatibility:
        sentence = (
            f"Later schemas are held to {new.compatibility} instead of {old.compatibility}: it says which "
            "changes readers must be ready for."
        )
        was, now = old.compatibility, new.compatibility
        yield Reason(Bump.MINOR, "compatibility mode", "compatibility", was, now, READER, sentence)
    if old.status != new.status:
        yield _status(old.status, new.status)


def _topic(old: Contract, new: Contract) -> Iterator[Reason]:
    before, after = old.settings, new.settings
    if before.cleanup_policy != after.cleanup_policy:
        sentence = (
            f"The topic is cleaned by {after.cleanup_policy} instead of {before.cleanup_policy}: a "
            "reader who starts at its beginning finds other events."
        )
        yield Reason(
            Bump.MAJOR,
            _TOPIC,
            "cleanup policy",
            before.cleanup_policy,
            after.cleanup_policy,
            READER,
            sentence,
        )
    if before.partitions != after.partitions:
        yield _partitions(old, new)
    if before.retention_ms != after.retention_ms:
        was, now = durations.words(before.retention_ms), durations.words(after.retention_ms)
        shorter = after.retention_ms >= 0 and not 0 <= before.retention_ms <= after.retention_ms
        sentence = f"Events were kept {was} and are now kept {now}" + (
            ": older ones are deleted for good." if shorter else "."
        )
        yield Reason(Bump.MINOR, _TOPIC, "retention", was, now, READER, sentence)


def _partitions(old: Contract, new: Contract) -> Reason:
    was, now = old.settings.partitions, new.settings.partitions
    level = Bump.MINOR
    if now < was:
        level, means = Bump.MAJOR, "Kafka never takes partitions away, so that needs another topic."
    elif not new.key:
        means = "events have no key, so nothing depends on where they stand."
    elif "compact" in new.settings.cleanup_policy:
        level = Bump.MAJOR
        means = "keys move to other partitions, and their old partition keeps a last event that is stale."
    else:
        means = (
            "keys move to other partitions, so that events of one key may come out of order to a reader who "
            "is behind at that moment."
        )
    sentence = f"The topic had {was} partitions and has {now} now: {means}"
    return Reason(level, _TOPIC, "partitions", str(was), str(now), BOTH, sentence)


def _status(before: str, after: str) -> Reason:
    if after in ("deprecated", "retired"):
        sentence = f"The contract is {after}: readers should move to the next major version."
        return Reason(Bump.MINOR, "contract status", "status", before, after, READER, sentence)
    sentence = f"The contract was {before} and is now {after}."
    return Reason(Bump.PATCH, "contract status", "status", before, after, READER, sentence)
