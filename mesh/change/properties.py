"""Why a changed property needs a version: added, removed, renamed, another type, another meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.change.bump import Bump
from mesh.change.model import BOTH, READER, Reason
from mesh.contract.fields import deprecated, describe, properties_of, shape
from mesh.contract.model import Contract, Property

Sentences = Mapping[str, tuple[str, ...]]
_RANKS = ("public", "internal", "confidential", "restricted", "secret")
#: Options that record rules or the Avro type compare; the rest is compared as written.
_COMPARED = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("pattern", "minItems", "maxItems", "uniqueItems", "timezone", "format"),
}
_TIMES = ("date", "time", "timestamp")


def property_reasons(old: Contract, new: Contract, wire: Sentences) -> Iterator[Reason]:
    """Reasons for every property of either contract; `wire` is what Avro says of each."""
    before, after = properties_of(old), properties_of(new)
    renamed = dict(_renamed(before, after))
    formerly = {now: was for was, now in renamed.items()}
    announced = deprecated(old)
    for name, prop in after.items():
        if name in before:
            yield from _changed(name, before[name], prop, wire.get(name, ()))
        elif name in formerly:
            yield _renaming(name, formerly[name], name)
        elif name.rpartition(".")[0] in before or "." not in name:
            yield _added(name, prop, wire.get(name, ()))
    for name, prop in before.items():
        if name in after:
            continue
        if name in renamed:
            yield _renaming(name, name, renamed[name])
        elif name.rpartition(".")[0] in after or "." not in name:
            yield _removed(name, prop, announced=name in announced)


def _renamed(before: Mapping[str, Property], after: Mapping[str, Property]) -> Iterator[tuple[str, str]]:
    """Old name and new name of what an alias says is the same property."""
    for name, prop in after.items():
        aliases = prop.custom.get("avroAliases", ())
        owner = name.rpartition(".")[0]
        for alias in aliases if isinstance(aliases, list) else ():
            was = f"{owner}.{alias}" if owner else str(alias)
            if name not in before and was in before and was not in after:
                yield was, name


def _renaming(subject: str, was: str, now: str) -> Reason:
    sentence = (
        f"{was} is called {now} now. Retained events can still be read through the alias, but whoever reads "
        f"{was} by its name finds nothing."
    )
    return Reason(Bump.MAJOR, subject, "renamed", was, now, BOTH, sentence)


def _added(name: str, prop: Property, said: tuple[str, ...]) -> Reason:
    level, sentence = Bump.MINOR, f"{name} is new. Readers who do not know it are not disturbed."
    if said:
        level, sentence = Bump.MAJOR, " ".join(said)
    elif prop.required or prop.primary_key is not None:
        sentence = f"{name} is new, and publishers must fill it from now on."
        return Reason(level, name, "added", "", describe(prop), BOTH, sentence)
    return Reason(level, name, "added", "", describe(prop), READER, sentence)


def _removed(name: str, prop: Property, *, announced: bool) -> Reason:
    if announced and not prop.required and prop.primary_key is None:
        sentence = f"{name} is gone. It was optional, and marked as deprecated."
        return Reason(Bump.MINOR, name, "removed", describe(prop), "", READER, sentence)
    sentence = f"{name} is gone: whoever reads it finds nothing any more."
    return Reason(Bump.MAJOR, name, "removed", describe(prop), "", READER, sentence)


def _changed(name: str, old: Property, new: Property, said: tuple[str, ...]) -> Iterator[Reason]:
    was, now = shape(old), shape(new)
    loosened = old.required and not new.required and new.primary_key is None
    if was != now:
        level = Bump.MAJOR if said or _format_loosened(old, new) else Bump.MINOR
        sentence = " ".join(said) or f"{name} was {was} and is now {now}."
        yield Reason(level, name, "type", was, now, BOTH, sentence)
    elif said and not loosened:  # what is no longer required is told as that, and once
        yield Reason(Bump.MAJOR, name, "type", describe(old), describe(new), READER, " ".join(said))
    for option in sorted((old.options.keys() | new.options.keys()) - _COMPARED):
        yield from _option(name, option, old, new)
    if old.classification != new.classification:
        yield _classified(name, old.classification, new.classification)
    if old.custom.get("avroDefault") != new.custom.get("avroDefault"):
        before, after = (str(prop.custom.get("avroDefault", "")) for prop in (old, new))
        sentence = f"Where {name} is missing in an event, its readers get {after or 'nothing'} now."
        yield Reason(Bump.MINOR, name, "default", before, after, READER, sentence)
    if (old.primary_key is None) != (new.primary_key is None):
        before, after = ("" if prop.primary_key is None else "key" for prop in (old, new))
        sentence = f"{name} {'becomes' if after else 'is no longer'} part of the key."
        yield Reason(Bump.MAJOR, name, "key", before, after, BOTH, sentence)


def _format_loosened(old: Property, new: Property) -> bool:
    """Whether a format that values kept to is another one or gone; that of a time never reaches the event."""
    before = old.options.get("format")
    return (
        old.logical_type == new.logical_type
        and old.logical_type not in _TIMES
        and before is not None
        and before != new.options.get("format")
    )


def _option(name: str, option: str, old: Property, new: Property) -> Iterator[Reason]:
    before, after = old.options.get(option), new.options.get(option)
    if before == after:
        return
    tightened = before is None
    what = "is new" if tightened else "is gone" if after is None else "is another one"
    sentence = f"The option {option} of {name} {what}: " + (
        "events that were valid may not be." if tightened else "readers could rely on it."
    )
    level = Bump.MINOR if tightened else Bump.MAJOR
    yield Reason(level, name, option, str(before or ""), str(after or ""), BOTH, sentence)


def _classified(name: str, before: str, after: str) -> Reason:
    ranks = [_RANKS.index(word.lower()) if word.lower() in _RANKS else None for word in (before, after)]
    rises = ranks[1] is not None and (ranks[0] is None or ranks[1] > ranks[0])
    sentence = f"{name} was {before or 'not classified'} and is now {after or 'not classified'}" + (
        ": whoever reads it must protect it accordingly." if rises else "."
    )
    return Reason(Bump.MINOR, name, "classification", before, after, READER, sentence)
