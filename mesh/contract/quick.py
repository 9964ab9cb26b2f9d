"""Whether a value holds by a JSON schema, as a plain yes or no, many times faster than the library says why.

A schema of draft 2019-09 becomes nested closures, for the words the data contract and data product
standards use; any other word is refused when the schema is compiled. A value that does not hold is then
looked at by `jsonschema`, which names the reasons. `no` may be said too often, `yes` never.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Keys = frozenset[str]
#: None when the value does not hold, else the keys of a mapping that some part of the schema has looked at.
Check = Callable[[Any], Keys | None]

_NONE: Keys = frozenset()
_ANNOTATIONS = {
    "$schema", "$defs", "$comment", "title", "description", "default", "examples", "deprecated", "format"
}  # fmt: skip
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: v is True or v is False,
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "integer": lambda v: (
        (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer())
    ),
}


class Compiler:
    """Turns one schema document, with its local references, into checks."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._references: dict[str, Check] = {}

    def check(self, schema: Any) -> Check:
        """The check of a schema; raises ValueError for a word that is not known here."""
        if isinstance(schema, bool):
            return _when(lambda _: schema)
        parts = [
            part
            for word, argument in schema.items()
            if word not in _ANNOTATIONS and (part := self._part(word, argument, schema)) is not None
        ]
        last = self._unevaluated(schema)
        if len(parts) == 1 and last is None:
            return parts[0]

        def whole(value: Any) -> Keys | None:
            seen = _NONE
            for part in parts:
                keys = part(value)
                if keys is None:
                    return None
                if keys:
                    seen = seen | keys if seen else keys
            return seen if last is None else last(value, seen)

        return whole

    def reference(self, reference: str) -> Check:
        """The check of `#/…`; made when first used, because references go round in circles."""

        def later(value: Any) -> Keys | None:
            made = self._references.get(reference)
            if made is None:
                made = self._references[reference] = self.check(resolved(self._root, reference))
            return made(value)

        return self._references.get(reference, later)

    def _part(self, word: str, argument: Any, schema: Mapping[str, Any]) -> Check | None:
        if word in ("then", "else", "unevaluatedProperties", "additionalProperties"):
            # They mean something only together with their neighbours, which take them along.
            return self._properties(schema) if word == "additionalProperties" else None
        if word == "properties":
            return None if "additionalProperties" in schema else self._properties(schema)
        if word == "$ref":
            return self.reference(argument)
        if word == "if":
            return self._conditional(schema)
        if word in ("allOf", "anyOf", "oneOf"):
            return _choice(word, [self.check(branch) for branch in argument])
        if word == "not":
            inner = self.check(argument)
            return lambda v: _NONE if inner(v) is None else None
        if word == "items":
            item = self.check(argument)
            return _when(lambda v: not isinstance(v, list) or all(item(i) is not None for i in v))
        return _when(_assertion(word, argument))

    def _properties(self, schema: Mapping[str, Any]) -> Check:
        known = {key: self.check(inner) for key, inner in schema.get("properties", {}).items()}
        closed = "additionalProperties" in schema
        other = self.check(schema["additionalProperties"]) if closed else None

        def properties(value: Any) -> Keys | None:
            if not isinstance(value, dict):
                return _NONE
            seen = set()
            for key, item in value.items():
                check = known.get(key, other)
                if check is None:
                    continue
                if check(item) is None:
                    return None
                seen.add(key)
            return frozenset(seen)

        return properties

    def _conditional(self, schema: Mapping[str, Any]) -> Check:
        condition = self.check(schema["if"])
        then, otherwise = self.check(schema.get("then", True)), self.check(schema.get("else", True))

        def conditional(value: Any) -> Keys | None:
            keys = condition(value)
            if keys is None:
                return otherwise(value)
            more = then(value)
            return None if more is None else keys | more

        return conditional

    def _unevaluated(self, schema: Mapping[str, Any]) -> Callable[[Any, Keys], Keys | None] | None:
        if "unevaluatedProperties" not in schema:
            return None
        check = self.check(schema["unevaluatedProperties"])

        def unevaluated(value: Any, seen: Keys) -> Keys | None:
            if not isinstance(value, dict):
                return seen
            for key, item in value.items():
                if key not in seen and check(item) is None:
                    return None
            return frozenset(value)

        return unevaluated


def resolved(root: Any, reference: str) -> Any:
    """The schema that `#/…` names; raises ValueError for a reference out of the document."""
    if not reference.startswith("#/"):
        raise ValueError(f"not within this schema: {reference}")
    for part in reference[2:].split("/"):
        root = root[part]
    return root


def _when(holds: Callable[[Any], bool]) -> Check:
    return lambda value: _NONE if holds(value) else None


def _choice(word: str, branches: list[Check]) -> Check:
    def choice(value: Any) -> Keys | None:
        found = [keys for branch in branches if (keys := branch(value)) is not None]
        if word == "allOf":
            holds = len(found) == len(branches)
        else:
            holds = len(found) == 1 if word == "oneOf" else bool(found)
        return _NONE.union(*found) if holds else None

    return choice


def _assertion(word: str, argument: Any) -> Callable[[Any], bool]:
    if word == "type":
        kinds = [_TYPES[name] for name in ([argument] if isinstance(argument, str) else argument)]
        return kinds[0] if len(kinds) == 1 else lambda v: any(kind(v) for kind in kinds)
    if word in ("enum", "const"):
        allowed = {_canonical(value) for value in (argument if word == "enum" else [argument])}
        return lambda v: _canonical(v) in allowed
    if word == "required":
        return lambda v: not isinstance(v, dict) or all(key in v for key in argument)
    if word == "pattern":
        search = re.compile(argument).search
        return lambda v: not isinstance(v, str) or search(v) is not None
    if word == "minItems":
        return lambda v: not isinstance(v, list) or len(v) >= argument
    if word == "maxItems":
        return lambda v: not isinstance(v, list) or len(v) <= argument
    if word == "uniqueItems":
        return lambda v: (
            not argument or not isinstance(v, list) or len({_canonical(item) for item in v}) == len(v)
        )
    if word in ("minimum", "exclusiveMinimum"):
        number, open_end = _TYPES["number"], word == "exclusiveMinimum"
        return lambda v: not number(v) or (v > argument if open_end else v >= argument)
    raise ValueError(f"a word of JSON schema that is not known here: {word}")


def _canonical(value: Any) -> str:
    """Equal for what JSON schema calls equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, str):
        return "s" + value
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value
