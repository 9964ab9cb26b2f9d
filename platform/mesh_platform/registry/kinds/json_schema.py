"""JSON Schema: valid in its own dialect, its `$ref`s resolved among its references, nothing ever fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin

from mesh import limits
from mesh.compatibility import Level
from mesh.schema.refusal import BAD_ATTRIBUTE, NOT_JSON, OVER_BUDGET, Hazard, refuse
from mesh.schema.strict_json import Json, JsonProblem, TooMuch, compact, read_json
from mesh_platform.registry.kinds.json_dialect import Dialect, check_valid, dialect_of
from mesh_platform.registry.kinds.json_documents import Reach, reach
from mesh_platform.registry.kinds.model import Kind, Parsed, Reason, References
from mesh_platform.registry.kinds.reaching import reached
from mesh_platform.registry.kinds.refusal import SLOW_PATTERN

#: What a relative `$ref` is relative to in a document without an `$id` of its own.
HERE: Final = "http://schema.invalid/"
#: A schema in a property stands two levels deeper in the JSON than the schema that holds it.
_JSON_DEPTH: Final = 2 * limits.SCHEMA_DEPTH + 8
_LONGEST: Final = (
    ("enum", limits.ENUM_SYMBOLS),
    ("anyOf", limits.UNION_BRANCHES),
    ("oneOf", limits.UNION_BRANCHES),
    ("allOf", limits.UNION_BRANCHES),
)


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A JSON Schema and every document that can be reached from it."""

    text: str
    tree: bool | dict[str, Json] = field(compare=False, repr=False)
    dialect: Dialect
    used: frozenset[str] = field(compare=False)
    hazards: tuple[Hazard, ...] = field(compare=False)
    references: Mapping[str, JsonSchema] = field(compare=False, repr=False)
    reach: Reach = field(compare=False, repr=False)
    kind: Kind = Kind.JSON

    @property
    def address(self) -> str:
        """Its `$id`, or a place of its own."""
        return _address(self.tree)

    @property
    def whole(self) -> str:
        parts = {name: part.text for name, part in reached(self.references).items()}
        return compact([self.text, sorted(parts.items())])

    @property
    def fields(self) -> frozenset[str]:
        properties = self.tree.get("properties") if isinstance(self.tree, dict) else None
        return frozenset(properties) if isinstance(properties, dict) else frozenset()

    def normal_text(self) -> str:
        return json.dumps(self.tree, separators=(",", ":"), ensure_ascii=False, sort_keys=True)

    def documents(self) -> dict[str, tuple[Json, Dialect]]:
        """All that it refers to, by the address its `$ref`s say."""
        return {
            urljoin(self.address, name): (part.tree, part.dialect)
            for name, part in reached(self.references).items()
        }

    def reasons(self, earlier: Parsed, level: Level) -> list[Reason]:
        from mesh_platform.registry.kinds.json_judge import judge

        assert isinstance(earlier, JsonSchema)
        return judge(self, earlier, level)


def parse_json_schema(text: str, references: References) -> JsonSchema:
    """The JSON Schema in `text`; raises SchemaError when it is invalid, or refers to what is not there."""
    tree = _read(text)
    dialect = dialect_of(tree)
    check_valid(tree, dialect)
    parts = {name: part for name, part in references.items() if isinstance(part, JsonSchema)}
    schema = JsonSchema(compact(tree), tree, dialect, frozenset(), (), parts, Reach())
    found = reach(schema.address, tree, dialect, schema.documents())
    names = frozenset(name for name in parts if urljoin(schema.address, name) in found.addresses)
    _count(found.schemas)
    return replace(schema, used=names, hazards=tuple(dict.fromkeys(_hazards(found.schemas))), reach=found)


def _read(text: str) -> bool | dict[str, Json]:
    try:
        tree = read_json(text, max_bytes=limits.SCHEMA_BYTES, max_depth=_JSON_DEPTH)
    except TooMuch as problem:
        refuse(OVER_BUDGET, "$", f"the schema cannot be read: {problem}")
    except JsonProblem as problem:
        refuse(NOT_JSON, "$", f"the schema cannot be read: {problem}")
    if not isinstance(tree, bool | dict):
        refuse(BAD_ATTRIBUTE, "$", "a JSON Schema is an object, true or false")
    return tree


def _count(schemas: Sequence[dict[str, Json]]) -> None:
    for schema in schemas:
        for keyword, most in _LONGEST:
            part = schema.get(keyword)
            if isinstance(part, list) and len(part) > most:
                refuse(OVER_BUDGET, "$", f"{keyword} has more than {most:,} entries")


def _hazards(schemas: Sequence[dict[str, Json]]) -> Iterator[Hazard]:
    for schema in schemas:
        more = schema.get("patternProperties")
        for pattern in (schema.get("pattern"), *(more if isinstance(more, dict) else ())):
            if isinstance(pattern, str) and not _is_linear(pattern):
                what = f"the pattern {pattern[:80]!r} is not one that is checked in linear time"
                yield Hazard(SLOW_PATTERN, "$", what, "a short text can take a validator for ever")


def _is_linear(pattern: str) -> bool:
    import re2

    if len(pattern) > limits.PATTERN_LENGTH:
        refuse(OVER_BUDGET, "$", f"a pattern is longer than {limits.PATTERN_LENGTH:,} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    return True


def _address(tree: Json) -> str:
    own = (tree.get("$id") or tree.get("id")) if isinstance(tree, dict) else None
    return urljoin(HERE, own.rstrip("#")) if isinstance(own, str) else HERE
