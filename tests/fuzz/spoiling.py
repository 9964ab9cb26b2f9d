"""Good declarations and Avro schemas, spoiled by chance: in their text, in their values, in their size."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.contract.avro import avro_schema
from mesh.contract.reading import read_contract
from mesh.contract.yaml import read
from mesh.errors import DeclarationError

ROOT = Path(__file__).parents[2]
FOLDERS = ("contracts", "domains", "tests/examples/standards", "platform/mesh_platform/quality/declarations")
_VALUES: tuple[Any, ...] = (
    None, 0, -1, 1, 10**30, -(2**63), 1.5, 1e308, True, False, "", " ", "x", "[", "(?=x)", "(a+)+$", "P0D",
    "P9999999Y", "${X}", "${X:-}", "$" * 50, "a.b", "schema/x/properties/y", "../../x.odcs.yaml#/schema/a",
    "https://x/y.yaml#a.b", "x" * 5_000,
    "é\u2028🙂", "1.0.0", "v9", "2026-02-30", "\u202e", [], {}, [1], [None],
    [[]], {"a": 1}, {"name": "x"}, {"id": "x", "to": "y"}, ["a", {"b": []}], ["x"] * 300, [{"name": "x"}] * 3,
    {"": ""},
)  # fmt: skip
_KEYS = (
    "items", "map", "properties", "quality", "customProperties", "value", "metric", "arguments",
    "logicalType", "logicalTypeOptions", "enum", "rule",
    "relationships", "to", "from", "element", "id", "name", "required",
    "primaryKey", "primaryKeyPosition", "unique", "examples", "version", "apiVersion", "kind", "team",
    "unit",
    "slaProperties", "mustBe", "mustBeBetween", "contractId", "inputContracts", "domain", "property",
    "symbols", "fields", "type", "default", "aliases", "namespace", "size", "precision", "scale",
)  # fmt: skip
_PIECES = (
    "[", "]", "{", "}", ":", ": ", "- ", "&a ", "*a", "!x ", "!!python/object:os.system ", "\t", "\n",
    "\r\n",
    "'", '"', "|\n", ">-\n", "\0", "%", "# ", "? ", "<<: ", "---\n", "...\n", "\ufeff", "\x1b", "  ", "0o17",
    "1e999", ",", "\\u0000",
)  # fmt: skip


@dataclass(frozen=True)
class Good:
    """A text that holds, with its data."""

    kind: str  #: contract, product or schema
    name: str
    text: str
    data: Any


def corpus() -> list[Good]:
    """All declarations of the example mesh and of the standards, and the Avro schemas of the contracts."""
    good: list[Good] = []
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.od[cp]s.yaml")):
            document = read(file.read_bytes(), str(file.relative_to(ROOT)))
            kind = "contract" if file.name.endswith(".odcs.yaml") else "product"
            good.append(Good(kind, document.file, document.text, document.data))
            try:
                schema = (
                    avro_schema(read_contract(file.read_bytes(), file.name)) if kind == "contract" else None
                )
            except DeclarationError:
                continue
            if schema is not None:
                good.append(Good("schema", file.stem, schema.text, json.loads(schema.text)))
    return good


def companions(good: Good, others: Sequence[Good]) -> list[Good]:
    """The contracts that a declaration names, by id or by file, and without which it cannot hold."""
    return [
        other
        for other in others
        if other.kind == "contract"
        and other.name != good.name
        and (str(other.data["id"]) in good.text or Path(other.name).name in good.text)
    ]


def spoiled(dice: random.Random, good: Good) -> bytes:
    """A text that is probably no longer good."""
    return dice.choice(_WAYS)(dice, good)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


def _values(dice: random.Random, good: Good) -> bytes:
    """Values and keys changed, added, copied from elsewhere; as JSON, which is YAML too."""
    tree = json.loads(json.dumps(good.data))
    for _ in range(dice.choice((1, 1, 2, 4))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = dice.choice(places)
        value = copy.deepcopy(dice.choice(_VALUES))
        way = dice.random()
        if way < 0.5:
            holder[key] = value
        elif way < 0.65 and isinstance(holder, dict):
            holder[dice.choice(_KEYS)] = value
        elif way < 0.8:
            other, place = dice.choice(places)
            holder[key] = copy.deepcopy(other[place])
        elif way < 0.9:
            del holder[key]
        elif isinstance(holder, dict):
            holder[dice.choice(("zz", f"{key}x", str(key)[:-1], str(key).upper()))] = holder.pop(key)
    return json.dumps(tree, ensure_ascii=dice.random() < 0.5).encode("utf-8", "replace")


def _text(dice: random.Random, good: Good) -> bytes:
    """Pieces of the text replaced, cut, doubled."""
    text = good.text
    for _ in range(dice.choice((1, 1, 3, 8))):
        at = dice.randrange(len(text) + 1)
        length = dice.choice((0, 1, 5, 80, 400))
        piece = dice.choice((dice.choice(_PIECES), text[at : at + 200], ""))
        text = text[:at] + piece + text[at + length :]
    return text.encode()


def _bytes(dice: random.Random, good: Good) -> bytes:
    """Bytes changed without regard to characters; other encodings."""
    raw = bytearray(good.text.encode())
    for _ in range(dice.choice((1, 4, 20))):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    return dice.choice((bytes(raw), good.text.encode("utf-16"), b"\xef\xbb\xbf" + bytes(raw)))


def _size(dice: random.Random, good: Good) -> bytes:
    """Deep, wide, long, or again and again, up to more than what is read."""
    many = dice.choice((65, 500, 5_000, 40_000))
    if good.kind == "schema":
        many = min(many, 20_000)
        fields = [{"name": f"f{i}", "type": dice.choice(("int", ["null", "string"]))} for i in range(many)]
        enum = {"type": "enum", "name": "E", "symbols": [f"S{i}" for i in range(many)]}
        record = {"type": "record", "name": "R", "fields": fields}
        nested = '{"type":"array","items":' * many + '"int"' + "}" * many
        union = [{"type": "fixed", "name": f"F{i}", "size": 1} for i in range(many)]
        chosen = dice.choice((record, enum, union, nested))
        return (chosen if isinstance(chosen, str) else json.dumps(chosen)).encode()
    opening = dice.choice(("[", "{a: ", "- ", "a:\n ", '"', "a: &a [*a, ", "? "))
    if dice.random() < 0.4:
        return (good.text + "extra: " + opening * many).encode()
    tree = json.loads(json.dumps(good.data))
    lists = [holder[key] for holder, key in _places(tree) if isinstance(holder[key], list) and holder[key]]
    if not lists:
        return good.text.encode() * 3
    chosen = dice.choice(lists)
    item = json.dumps(chosen[0])
    chosen += [json.loads(item) for _ in range(min(many, 900_000 // (len(item) + 2)))]
    return json.dumps(tree).encode()


_WAYS: tuple[Callable[[random.Random, Good], bytes], ...] = (
    *[_values] * 9,
    *[_text] * 7,
    *[_bytes] * 2,
    _size,
)
