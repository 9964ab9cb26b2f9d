"""Schemas made for histories: each tells by itself what it may follow, without the registry's engine."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

Fields = Sequence[Mapping[str, Any]]


def record(fields: Fields, name: str = "Fact") -> str:
    """A record of these fields, as text."""
    return json.dumps({"type": "record", "name": name, "namespace": "faults", "fields": list(fields)})


def grown(width: int, name: str = "Fact") -> str:
    """The schema of `width` optional fields: each follows all that are narrower, and all that are wider."""
    return record([{"name": f"f{at}", "type": "int", "default": at} for at in range(width)], name)


def rival(before: str | None, client: int) -> str:
    """What one client wants after `before`; no client can read what another wants at the same place."""
    fields = json.loads(before)["fields"] if before else []
    symbol = f"S{client}"
    kind = {"type": "enum", "name": f"E{len(fields)}", "symbols": [symbol]}
    return record([*fields, {"name": f"f{len(fields)}", "type": kind, "default": symbol}])


def key(text: str) -> str:
    """Equal for two spellings of one schema, and only then."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def width(text: str) -> int:
    """How many fields a schema has: for rivals, the version that they want to be."""
    return len(json.loads(text)["fields"])


def respelled(text: str, dice: random.Random) -> str:
    """The same schema, with other white space and its attributes in another order."""
    return json.dumps(_shuffled(json.loads(text), dice), indent=dice.choice((None, 0, 1, 4)))


def _shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, list):
        return [_shuffled(item, dice) for item in value]
    if isinstance(value, dict):
        names = dice.sample(list(value), len(value))
        return {name: _shuffled(value[name], dice) for name in names}
    return value


def readable(reader: str, writer: str) -> bool:
    """Whether the one reads what the other wrote, for the schemas that are made here."""
    written = {field["name"]: field["type"] for field in json.loads(writer)["fields"]}
    return all(
        _fits(field["type"], written[field["name"]]) if field["name"] in written else "default" in field
        for field in json.loads(reader)["fields"]
    )


def _fits(reader: Any, writer: Any) -> bool:
    if isinstance(reader, dict) and isinstance(writer, dict) and "symbols" in reader:
        return set(writer.get("symbols", ["?"])) <= set(reader["symbols"])
    return bool(reader == writer)
