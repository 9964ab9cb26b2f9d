"""Violations of the standards' JSON schemas, made from the schemas: each is found on its own line.

For every place of a valid document the words of the schema that speak of it are collected, and each is
broken once: a required key is left out, an unknown one added, a type, an enum, a pattern, a number of
items changed. All of them: `python -m tests.fuzz.violations`; some: `--cases 500 --seed 7`.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft201909Validator

from mesh.contract import validation
from mesh.contract.quick import Check, Compiler, resolved
from mesh.contract.yaml import read

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples" / "standards"
Where = tuple[str | int, ...]
_WRONG: tuple[Any, ...] = (7, "text", 1.5, True, ["a"], {"zz": 1})
_UNKNOWN = "zzUnknown"
#: Of the standards' schemas, which live as long as this module.
_CHECKS: dict[int, Check] = {}


@dataclass
class Violation:
    """A valid document, a value that breaks it at one place, and the node whose line has to be named."""

    standard: validation.Standard
    file: str
    word: str
    path: Where
    named: Where
    valid: Any
    value: Any

    @cached_property
    def data(self) -> Any:
        """The whole document that does not hold, if it does not."""
        return _changed(self.valid, self.path, self.value)

    @property
    def breaks(self) -> bool:
        """Whether the standard's schema refuses it, and no other branch of a choice takes it."""
        return _quick(self.standard)(self.data) is None

    @property
    def _elsewhere(self) -> bool:
        """Whether without a key a whole branch stops to apply, so that the keys that stay belong to none."""
        errors = list(_library(self.standard).iter_errors(self.data))
        while errors and all(error.context for error in errors):
            errors = [inner for error in errors for inner in error.context]
        return self.word == "required" and {error.validator for error in errors} == {"unevaluatedProperties"}

    def problem(self) -> str:
        """What is wrong with the answer; empty when the violation is found on its line."""
        text = yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True, width=10**6)
        found = list(validation.findings(read(text.encode(), self.file), self.standard))
        if not found:
            return f"{self} is not found"
        if _library(self.standard).is_valid(self.data):
            return f"{self} is none for the library"
        lines = {getattr(finding.where, "line", 0) for finding in found}
        if self._elsewhere and all(finding.code == "MESH-C022" for finding in found):
            return ""
        # What a collection in the wrong place holds may be at fault instead, where it stands.
        if not lines & {
            _line(text, self.named),
            _line(text, self.named) + isinstance(self.value, dict | list),
        }:
            return f"{self} is on line {_line(text, self.named)}, found on {sorted(lines)}: {found[0]}"
        if not all(finding.code and finding.message and finding.why and finding.fix for finding in found):
            return f"{self} is told without its reason"
        return ""

    def __str__(self) -> str:
        return f"{self.file}: {self.word} of {'/'.join(map(str, self.path)) or 'the top'}"


def violations() -> Iterator[Violation]:
    """What may break each example by the version it declares, in the order of the files."""
    for file in (*sorted(EXAMPLES.rglob("*.yaml")), ROOT / "contracts/operations/departures.v1.odcs.yaml"):
        data = read(file.read_bytes(), file.name).data
        family = "odcs" if file.name.endswith(".odcs.yaml") else "odps"
        standard: Any = f"{family}-{data['apiVersion']}"
        for path, schemas in _places(data, [_root(standard)], (), _root(standard)):
            for word, named, value in _broken(_at(data, path), path, schemas):
                yield Violation(standard, file.name, word, path, named, data, value)


@cache
def _root(standard: validation.Standard) -> Any:
    return json.loads((ROOT / "mesh/contract/standards" / f"{standard}.json").read_text(encoding="utf-8"))


@cache
def _quick(standard: validation.Standard) -> Check:
    return Compiler(_root(standard)).check(_root(standard))


@cache
def _library(standard: validation.Standard) -> Any:
    return Draft201909Validator(_root(standard))


def _places(value: Any, schemas: list[Any], path: Where, root: Any) -> Iterator[tuple[Where, list[Any]]]:
    """Every place of a value with the schemas that speak of it."""
    speaking = [part for schema in schemas for part in _applied(schema, value, root)]
    yield path, speaking
    if isinstance(value, dict):
        for key, item in value.items():
            inner = [s["properties"][key] for s in speaking if key in s.get("properties", {})]
            yield from _places(item, inner, (*path, key), root)
    elif isinstance(value, list):
        inner = [s["items"] for s in speaking if isinstance(s.get("items"), dict)]
        for index, item in enumerate(value):
            yield from _places(item, inner, (*path, index), root)


def _applied(schema: Any, value: Any, root: Any) -> Iterator[Any]:
    """A schema and those it takes along for this value."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _applied(resolved(root, schema["$ref"]), value, root)
    for branch in schema.get("allOf", ()):
        yield from _applied(branch, value, root)
    for word in ("anyOf", "oneOf"):
        for branch in schema.get(word, ()):
            if _holds(branch, value, root):
                yield from _applied(branch, value, root)
    if "if" in schema and _holds(schema["if"], value, root):
        yield from _applied(schema.get("then"), value, root)


def _holds(schema: Any, value: Any, root: Any) -> bool:
    check = _CHECKS.get(id(schema)) or _CHECKS.setdefault(id(schema), Compiler(root).check(schema))
    return check(value) is not None


def _broken(value: Any, path: Where, schemas: list[Any]) -> Iterator[tuple[str, Where, Any]]:
    """Each word broken once: the word, the node to be named, the value instead."""
    for schema in schemas:
        for key in schema.get("required", ()):
            if isinstance(value, dict) and key in value:
                yield "required", path, {k: v for k, v in value.items() if k != key}
        if isinstance(value, dict) and False in (
            schema.get("additionalProperties"),
            schema.get("unevaluatedProperties"),
        ):
            yield "unknown key", (*path, _UNKNOWN), {**value, _UNKNOWN: 1}
        if "type" in schema:
            # A list in place of a list is at fault where its items stand.
            wrong = [other for other in _WRONG if type(other) is not type(value)]
            yield from (("type", path, other) for other in wrong)
        if {"enum", "const", "pattern"} & schema.keys():
            yield "a word that is not allowed", path, "zz ! not allowed"
        if isinstance(value, list) and value and schema.get("uniqueItems"):
            yield "uniqueItems", path, [*value, value[0]]
        if isinstance(value, list) and "minItems" in schema:
            yield "minItems", path, []
        if isinstance(value, list) and value and "maxItems" in schema:
            yield "maxItems", path, [*value, *range(90, 90 + schema["maxItems"])]
        if {"minimum", "exclusiveMinimum"} & schema.keys():
            yield "minimum", path, -(10**9)


def _at(data: Any, path: Where) -> Any:
    for step in path:
        data = data[step]
    return data


def _changed(data: Any, path: Where, value: Any) -> Any:
    if not path:
        return value
    # Through JSON, because a value that stands twice would be written as an alias.
    data = json.loads(json.dumps(data))
    _at(data, path[:-1])[path[-1]] = copy.deepcopy(value)
    return json.loads(json.dumps(data))


def _line(text: str, path: Where) -> int:
    """The line of a node, read by another parser: of its key in a mapping, of the item in a list."""
    node: Any = yaml.compose(text)
    line = node.start_mark.line
    for step in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next((k, v) for k, v in node.value if k.value == str(step))
            line = key.start_mark.line
        else:
            node = node.value[step]
            line = node.start_mark.line
    return int(line) + 1


def sample(cases: int, seed: int) -> list[Violation]:
    """So many violations by chance, or all of them for 0."""
    made = list(violations())
    if cases:
        random.Random(seed).shuffle(made)
    breaking = (violation for violation in made if violation.breaks)
    return list(islice(breaking, cases or None))


def main() -> int:
    """Try all violations, or some of them, and say which were not found where they stand."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.violations")
    parser.add_argument("--cases", type=int, default=0, help="so many of them; default: all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cases = sample(options.cases, options.seed)
    words: Counter[str] = Counter()
    wrong = []
    for case in cases:
        words[case.word] += 1
        wrong += [problem] if (problem := case.problem()) else []
    for word, count in words.most_common():
        print(f"{count:>7} {word}")
    print(f"{len(cases):>7} violations, {len(wrong)} not found where they stand")
    for line in wrong[:40]:
        print(line[:400])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
