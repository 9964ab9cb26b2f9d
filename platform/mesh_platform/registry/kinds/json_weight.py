"""How much work a JSON Schema can be to compare: told from the text, before a library begins.

Alternatives at one place multiply: five choices of two are thirty-two cases. The weight counts the cases
of every place times what stands below it, so that a hostile schema is turned down at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.schema.strict_json import Json
from mesh_platform.registry.kinds.json_documents import Reach

#: From here on, numbers only mean «too much».
FAR_TOO_MUCH: Final = 10**9
_DEEPEST_NEGATION: Final = 30
#: Schemas inside schemas, through references too.
_DEEPEST: Final = 100
_MAPS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE: Final = (
    "not",
    "if",
    "then",
    "else",
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
)
Tree = dict[str, Json]


def weight(reach: Reach) -> int:
    """The sum over all places of cases times size."""
    return _Weighing(reach).weight()


def written_out(reach: Reach) -> int:
    """How many schemas there are when every `$ref` is replaced by what it leads to."""
    return _Weighing(reach).size(reach.schemas[0]) if reach.schemas else 1


class _Weighing:
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._depth = 0
        self._cases: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def weight(self) -> int:
        total = 0
        for schema in self._reach.schemas:
            cases = self.cases(schema)
            if cases > 1:
                total += cases * self.size(schema)
            total += len(_list(schema, "enum")) ** 2 // 1_000
        return min(total, FAR_TOO_MUCH)

    def cases(self, schema: Json) -> int:
        """How many alternatives a schema is, written out, at its own place."""
        if not isinstance(schema, dict):
            return 1
        key = id(schema)
        if key not in self._cases:
            self._cases[key] = 1  # a schema that leads back to itself adds nothing
            self._depth += 1
            found = self._multiplied(schema) if self._depth < _DEEPEST else FAR_TOO_MUCH
            self._depth -= 1
            self._cases[key] = min(found, FAR_TOO_MUCH)
        return self._cases[key]

    def _multiplied(self, schema: Tree) -> int:
        product = self.cases(self._led_to(schema))
        for part in _list(schema, "allOf"):
            product = min(product * self.cases(part), FAR_TOO_MUCH)
        if product > 1:  # cases are compared with cases: those of a conjunction cost the most
            product *= 1 + 2 * len(_list(schema, "allOf"))
        for keyword in ("anyOf", "oneOf"):
            product *= sum(self.cases(part) for part in _list(schema, keyword)) or 1
        if "if" in schema:
            otherwise = self.cases(schema["if"]) * self.size(schema["if"]) * self.cases(schema.get("else"))
            product *= self.cases(schema.get("then")) + otherwise
        if "contains" in schema:
            product *= 1 + self.cases(schema["contains"])
        if "not" in schema:
            product *= 2 ** min(self.cases(schema["not"]) - 1, _DEEPEST_NEGATION) * self.size(schema["not"])
        for keyword in ("dependentSchemas", "dependentRequired", "dependencies"):
            product *= 2 ** min(len(_map(schema, keyword)), _DEEPEST_NEGATION)
        return product * max(1, len(_map(schema, "patternProperties")))

    def size(self, schema: Json) -> int:
        """How many schemas stand in a schema, what it leads to among them at every mention."""
        if not isinstance(schema, dict):
            return 1
        key = id(schema)
        if key not in self._sizes:
            self._sizes[key] = 1
            self._depth += 1
            parts = [self._led_to(schema), *_parts(schema)] if self._depth < _DEEPEST else []
            found = 1 + sum(self.size(part) for part in parts) if parts else FAR_TOO_MUCH
            self._depth -= 1
            self._sizes[key] = min(found, FAR_TOO_MUCH)
        return self._sizes[key]

    def _led_to(self, schema: Tree) -> Json:
        return self._reach.led_to.get(id(schema))


def _parts(schema: Tree) -> Iterator[Json]:
    for keyword in _SINGLE:
        if keyword in schema and keyword != "items":
            yield schema[keyword]
    for keyword in _LISTS:
        yield from _list(schema, keyword)
    for keyword in (*_MAPS, "dependencies"):
        yield from _map(schema, keyword).values()
    items = schema.get("items")
    yield from items if isinstance(items, list) else [items]


def _list(schema: Tree, keyword: str) -> list[Json]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _map(schema: Tree, keyword: str) -> Tree:
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}
