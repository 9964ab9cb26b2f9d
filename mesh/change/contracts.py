"""The difference of two contracts, with the reasons why it needs which version."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.change.bump import Bump
from mesh.change.guarantees import guarantees
from mesh.change.model import BOTH, READER, Change, Difference, Reason
from mesh.change.promises import level_reason, rule_reasons
from mesh.change.properties import property_reasons
from mesh.change.settings import settings_reasons
from mesh.change.wire import on_the_wire
from mesh.contract.avro import avro_schema
from mesh.contract.fields import FieldChange, changes, named_levels, named_rules, properties_of
from mesh.contract.model import Contract

#: Keys that change what a value means, whoever decodes it; all other words are for people.
_MEANINGS = ("unit", "currency")


def contract_difference(old: Contract, new: Contract) -> Difference:
    """What differs between two texts of one contract, the gravest first."""
    rows = {row.subject: row for row in changes(old, new)}
    told: dict[str, list[Reason]] = {subject: [] for subject in rows}
    for reason in _reasons(old, new, rows):
        told.setdefault(reason.subject, []).append(reason)
        if reason.subject not in rows:
            rows[reason.subject] = FieldChange("changed", reason.subject, reason.before, reason.after)
    if not rows and avro_schema(old).text != avro_schema(new).text:
        row, reason = _refinement()
        rows[row.subject], told[row.subject] = row, [reason]
    found = [Change.of(row, tuple(told[subject]) or (_in_words(row),)) for subject, row in rows.items()]
    found.sort(key=lambda change: -change.level)
    level = max((change.level for change in found), default=Bump.NONE)
    return Difference("contract", new.id, old.version, new.version, tuple(found), level, new.document.file)


def added_contract(new: Contract) -> Difference:
    """A contract that is new; it needs no version but its own."""
    return Difference("contract", new.id, None, new.version, (), Bump.MINOR, new.document.file)


def removed_contract(old: Contract) -> Difference:
    """A contract that is gone: whoever reads it finds nothing."""
    level = Bump.MINOR if old.status == "retired" else Bump.MAJOR
    return Difference("contract", old.id, old.version, None, (), level, old.document.file)


def _reasons(old: Contract, new: Contract, rows: dict[str, FieldChange]) -> Iterator[Reason]:
    wire = on_the_wire(old, new)
    for sentence in wire.get("", ()):
        yield Reason(Bump.MAJOR, "topic name", "schema", old.topic, new.topic, READER, sentence)
    yield from property_reasons(old, new, wire)
    yield from guarantees(old, new, properties_of(old).keys() & properties_of(new).keys())
    rules, ruled = named_rules(old), named_rules(new)
    levels, levelled = named_levels(old), named_levels(new)
    for subject in rows:
        what, _, name = subject.partition(": ")
        if what == "rule" and (name in rules or name in ruled):
            yield from rule_reasons(subject, rules.get(name), ruled.get(name))
        elif what == "SLA" and (name in levels or name in levelled):
            yield level_reason(subject, levels.get(name), levelled.get(name))
        elif subject.endswith(")") and rows[subject].field:
            yield from _word(rows[subject])
    yield from settings_reasons(old, new)


def _word(row: FieldChange) -> Iterator[Reason]:
    """Reasons for the words of a property that are more than words."""
    owner, _, key = row.subject[:-1].partition(" (")
    key = key.removeprefix("customProperties.").removesuffix(".value")
    aspect = key.rpartition(".")[2]
    if aspect in _MEANINGS and row.before:
        sentence = f"The {aspect} of {owner} was {row.before} and is now {row.after or 'not said'}: "
        yield _meant(Bump.MAJOR, row, aspect, sentence + "the same number means something else.")
    elif key == "unique" and row.before == "true":
        yield _meant(Bump.MAJOR, row, key, f"Values of {owner} may repeat now. Readers could rely on it.")
    elif key == "unique":
        yield _meant(Bump.MINOR, row, key, f"Values of {owner} are unique from now on.")
    elif key == "deprecated":
        yield _meant(Bump.MINOR, row, key, f"{owner} is on its way out: readers should do without it.")


def _meant(level: Bump, row: FieldChange, aspect: str, sentence: str) -> Reason:
    return Reason(level, row.subject, aspect, row.before, row.after, READER, sentence)


def _refinement() -> tuple[FieldChange, Reason]:
    """The `.avsc` beside the contract changed, and both sides still read each other."""
    row = FieldChange("changed", "the Avro schema", "", "")
    sentence = (
        "The Avro schema beside the contract says something else: a default, an alias, a name or a doc."
    )
    return row, Reason(Bump.MINOR, row.subject, "schema", "", "", READER, sentence)


def _in_words(row: FieldChange) -> Reason:
    sentence = "It is said in other words; no event and no promise changes."
    return Reason(Bump.PATCH, row.subject, "words", row.before, row.after, BOTH, sentence)
