"""Topics: what a contract asks of the broker, what differs, and what a difference would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh import limits, naming
from mesh.contract import durations
from mesh.contract.model import Contract, TopicSettings
from mesh.declaration import Declaration
from mesh.plan.actual import Actual, TopicFacts
from mesh.plan.changes import (
    AddPartitions,
    AlterTopic,
    Blocked,
    Change,
    CreateTopic,
    TakeOver,
    counted,
)

FOREVER = -1
CLEANUP, RETENTION = "cleanup.policy", "retention.ms"
MIN_IN_SYNC, MAX_BYTES = "min.insync.replicas", "max.message.bytes"
#: Every setting a contract can speak of.
SETTINGS = (CLEANUP, MAX_BYTES, MIN_IN_SYNC, RETENTION)
#: Whatever fits on a topic fits here with its reasons: a letter that is too large would stop who writes it.
DEAD_LETTERS = TopicSettings(max_message_bytes=limits.LETTER_BYTES)


def topic_config(settings: TopicSettings) -> dict[str, str]:
    """A contract's topic settings in Kafka's words; what it does not say is the cluster's to decide."""
    config = {CLEANUP: settings.cleanup_policy, RETENTION: str(settings.retention_ms)}
    if settings.min_insync_replicas is not None:
        config[MIN_IN_SYNC] = str(settings.min_insync_replicas)
    if settings.max_message_bytes is not None:
        config[MAX_BYTES] = str(settings.max_message_bytes)
    return config


def wanted_topics(contract: Contract) -> Iterator[tuple[str, TopicSettings]]:
    """A contract's topic and its dead-letter topic."""
    yield contract.topic, contract.settings
    yield naming.dead_letter_topic(contract.topic), DEAD_LETTERS


def differences(wanted: Mapping[str, str], found: TopicFacts) -> dict[str, str]:
    """The wanted settings that are not as wanted."""
    return {key: value for key, value in wanted.items() if not _same(value, found.config.get(key))}


def topic_changes(desired: Declaration, actual: Actual) -> Iterator[Change]:
    """What it takes to make all topics as declared."""
    for contract in desired.contracts.values():
        for name, settings in wanted_topics(contract):
            found = actual.topics.get(name)
            if found is None:
                yield CreateTopic(name, settings.partitions, topic_config(settings))
                continue
            if contract.id not in actual.contracts and (events := actual.soundings.events.get(name)):
                yield TakeOver(name, counted(events))
            yield from _partitions(name, settings.partitions, found)
            yield from _settings(name, topic_config(settings), found, actual)


def _partitions(name: str, wanted: int, found: TopicFacts) -> Iterator[Change]:
    if wanted > found.partitions:
        yield AddPartitions(name, found.partitions, wanted)
    elif wanted < found.partitions:
        yield Blocked(
            name,
            f"{found.partitions} partitions cannot become {wanted}",
            "Kafka keeps the partitions of a topic; fewer would lose events",
            f"write partitions: {found.partitions}, or start a new major version",
        )


def _settings(name: str, wanted: Mapping[str, str], found: TopicFacts, actual: Actual) -> Iterator[Change]:
    differs = differences(wanted, found)
    if differs:
        before = {key: found.config[key] for key in differs if key in found.config}
        events = actual.soundings.events.get(name)
        yield AlterTopic(
            name,
            before,
            differs,
            losses=tuple(_losses(before, differs, wanted, events, actual.soundings.expired.get(name))),
            hints=tuple(_hints(before, differs)),
        )


def deletes_sooner(wanted: Mapping[str, str], found: TopicFacts) -> bool:
    """Whether events go that would have stayed: retention got shorter, or holds for the first time."""
    after, before = _kept_for(wanted), _kept_for(found.config)
    return after != FOREVER and (before == FOREVER or after < before)


def _kept_for(config: Mapping[str, str]) -> int:
    return int(config.get(RETENTION, FOREVER)) if "delete" in config.get(CLEANUP, "delete") else FOREVER


def _losses(
    before: Mapping[str, str],
    differs: Mapping[str, str],
    wanted: Mapping[str, str],
    events: int | None,
    expired: int | None,
) -> Iterator[str]:
    if events == 0:
        return
    if expired is not None:
        age = durations.words(int(wanted[RETENTION]))
        known = f"now {expired:,} of {counted(events)}" if events is not None else "how many is unknown"
        yield f"events older than {age} will be deleted: {known}"
    if "compact" in differs.get(CLEANUP, "") and "compact" not in before.get(CLEANUP, ""):
        yield "compaction keeps the last event of each key: all earlier ones will be deleted"


def _hints(before: Mapping[str, str], differs: Mapping[str, str]) -> Iterator[str]:
    if MIN_IN_SYNC in differs and MIN_IN_SYNC in before and _less(differs, before, MIN_IN_SYNC):
        yield "an acknowledged event will be on fewer replicas: it survives fewer lost brokers"
    if MAX_BYTES in differs and MAX_BYTES in before and _less(differs, before, MAX_BYTES):
        yield "larger events that publishers send will be refused; those that are there stay"


def _less(after: Mapping[str, str], before: Mapping[str, str], key: str) -> bool:
    return int(after[key]) < int(before[key])


def _same(wanted: str, found: str | None) -> bool:
    # Brokers differ in the order in which they give a list back.
    return found is not None and sorted(wanted.split(",")) == sorted(found.split(","))
