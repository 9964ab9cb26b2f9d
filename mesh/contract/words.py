"""What differs between two documents beyond their events, rules and promises: every word, by its key.

Lists are compared by the names of their entries, so that another order of a team is no new team.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: What other modules compare as a value, by where it stands.
_TOLD = {
    "contract": {"version", "status", "slaProperties", "schema", "id", "domain"},
    "schema": {"properties", "quality", "physicalName"},
    "property": {
        *("name", "logicalType", "required", "primaryKey", "primaryKeyPosition", "classification"),
        *("logicalTypeOptions", "enum", "properties", "items", "map", "quality"),
    },
    "custom": {
        *("partitions", "cleanupPolicy", "retention", "eventTime", "compatibility"),
        *("avroAliases", "avroDefault", "avroEnumDefault", "avroLogicalType", "avroName", "avroNoDefault"),
        *("avroNull", "avroOrder", "avroSize", "avroType", "avroTypeAliases", "precision", "scale"),
    },
}
_NAMES = ("id", "name", "property", "username", "channel", "role", "server", "question", "url", "to", "value")
_MOST = 120  #: characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Word:
    """One key whose value differs; `owner` is a property's dotted name, `the schema` or `the contract`."""

    owner: str
    key: str
    before: str
    after: str


def words(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Word]:
    """Every word that differs between two plain ODCS documents and is no event, rule or promise."""
    yield from _differ(_without(old, "contract"), _without(new, "contract"), "the contract", "")
    before, after = old["schema"][0], new["schema"][0]
    yield from _differ(_without(before, "schema"), _without(after, "schema"), "the schema", "")
    theirs = flat(before.get("properties", ()))
    for name, item in flat(after.get("properties", ())).items():
        if name in theirs:
            yield from _differ(_without(theirs[name], "property"), _without(item, "property"), name, "")


def other_words(old: Mapping[str, Any], new: Mapping[str, Any], owner: str, told: set[str]) -> Iterator[Word]:
    """Every word that differs between two mappings, but for the keys that are `told` elsewhere."""
    before, after = ({key: value for key, value in side.items() if key not in told} for side in (old, new))
    yield from _differ(before, after, owner, "")


def shown(value: Any) -> str:
    """A value in few words; empty for none."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def _without(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    kept = {key: value for key, value in item.items() if key not in _TOLD[kind]}
    custom = kept.get("customProperties")
    if kind != "contract" and isinstance(custom, list):
        kept["customProperties"] = [entry for entry in custom if entry.get("property") not in _TOLD["custom"]]
    return {key: value for key, value in kept.items() if value not in (None, [], {})}


def flat(properties: Any, prefix: str = "") -> dict[str, Mapping[str, Any]]:
    """Properties as written, by dotted name."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in properties:
        name = prefix + str(item.get("name", "item"))
        found[name] = item
        inner = item
        while inner:
            found |= flat(inner.get("properties", ()), f"{name}.")
            inner = inner.get("items") or inner.get("map", {}).get("value")
    return found


def _differ(old: Any, new: Any, owner: str, key: str) -> Iterator[Word]:
    if old == new and type(old) is type(new):
        return
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        yield Word(owner, key, shown(old), shown(new))
        return
    for name in dict.fromkeys([*before, *after]):
        yield from _differ(before.get(name), after.get(name), owner, f"{key}.{name}" if key else name)


def _parts(value: Any) -> Mapping[str, Any] | None:
    """The named parts of a value; None when it has none."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return None
    for key in _NAMES:
        names = [str(entry.get(key, "")) for entry in value]
        if all(names) and len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return None
