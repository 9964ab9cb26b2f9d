"""A declaration against its standard's official JSON schema, as findings with line and column."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Literal

from mesh.contract.quick import Check, Compiler, resolved
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

Standard = Literal["odcs-v3.0.2", "odcs-v3.1.0", "odcs-v3.2.0", "odps-v1.0.0", "odps-v1.1.0"]
_MOST = 50
_LOOKED_AT = 500  #: reasons that are weighed; a file with more is wrong from end to end


def findings(document: Document, standard: Standard) -> Iterator[Finding]:
    """What the standard's schema has to say; nothing means valid.

    Codes: MESH-C020 not a mapping, C021 missing key, C022 unknown key, C023 wrong type,
    C024 value not allowed, C025 anything else the schema refuses, C047 none or several of a choice of keys.
    """
    if not isinstance(document.data, dict):
        yield Finding(
            code="MESH-C020",
            message="the file holds no declaration",
            where=document.at(),
            why=f"a mapping is expected at the top, found {_kind(document.data)}",
            fix="see docs/guides/contracts.md for a whole example",
        )
        return
    if holds(document, standard):
        return
    seen: set[tuple[str, str]] = set()
    reasons = (leaf for e in _validator(standard).iter_errors(document.data) for leaf in _leaves(e))
    leaves = list(islice(reasons, _LOOKED_AT))

    def place(error: Any) -> tuple[int, int]:
        found = document.at(*error.absolute_path)
        return found.line, found.column

    for error in sorted(leaves, key=place):
        for finding in _describe(error, document, standard, follows=_follows(error, leaves)):
            mark = (str(finding.where), finding.message)
            if mark not in seen and len(seen) < _MOST:
                seen.add(mark)
                yield finding


@cache
def _schema(standard: Standard) -> Any:
    return json.loads((files("mesh.contract") / "standards" / f"{standard}.json").read_text())


def holds(document: Document, standard: Standard) -> bool:
    """Whether the standard's schema accepts a document."""
    return _compiled(standard)[1](document.data) is not None


@cache
def _compiled(standard: Standard) -> tuple[Compiler, Check]:
    compiler = Compiler(_schema(standard))
    return compiler, compiler.check(_schema(standard))


@cache
def _validator(standard: Standard) -> Any:
    """The library's validator, which passes over what a reference names as soon as that holds."""
    from jsonschema import Draft201909Validator
    from jsonschema.validators import extend

    compiler, _ = _compiled(standard)
    schema = _schema(standard)

    def reference(validator: Any, reference: str, instance: Any, _: Any) -> Iterator[Any]:
        if compiler.reference(reference)(instance) is None:
            yield from validator.descend(instance, resolved(schema, reference))

    # The library's stubs leave `extend` without types.
    return extend(Draft201909Validator, {"$ref": reference})(schema)  # type: ignore[no-untyped-call]


def _leaves(error: Any) -> Iterator[Any]:
    """The errors a person can act on: inside a choice, those of the branch that came closest."""
    if not error.context or _choices(error):
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    closest = min(branches.values(), key=_distance)
    for inner in closest:
        yield from _leaves(inner)


def _distance(found: list[Any]) -> tuple[int, int, int]:
    """How far a branch is from what was meant: of another kind, of other keys, with more flaws."""
    kinds = sum(1 for error in found if _another_kind(error))
    keys = sum(1 for error in found if error.validator == "required" and not error.path)
    return kinds, keys, len(found)


def _another_kind(error: Any) -> bool:
    """Whether a branch fails because it is about another kind of value, not because of a flaw in this one."""
    if error.path:
        return False
    if error.context:
        return all(_another_kind(inner) for inner in error.context)
    return error.validator in {"type", "const", "enum"}


def _choices(error: Any) -> list[str]:
    """The keys of which exactly one is asked for, when that is what an error is about."""
    if error.validator != "oneOf" or not isinstance(error.instance, dict):
        return []
    keys = [branch.get("required", ()) for branch in error.validator_value]
    names = [required[0] for required in keys if len(required) == 1]
    # With exactly one of them, its value is at fault, and the branch of that key says why.
    chosen = sum(1 for name in names if name in error.instance) != 1
    return names if chosen and len(names) == len(keys) else []


def _follows(error: Any, leaves: Sequence[Any]) -> bool:
    """Whether another error makes this one: a branch that fails leaves all of its keys unevaluated."""
    here = list(error.absolute_path)
    return error.validator == "unevaluatedProperties" and any(
        list(other.absolute_path)[: len(here)] == here
        and (other.validator != error.validator or len(other.absolute_path) > len(here))
        for other in leaves
    )


def _describe(error: Any, document: Document, standard: Standard, *, follows: bool) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    name = ".".join(str(part) for part in path) or "the top level"
    rerun = f"mesh check {document.file}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))
        yield Finding(
            code="MESH-C021",
            message=f"{missing!r} is missing in {name}",
            where=document.at(*path),
            why=f"{standard} requires it",
            fix=f"add {missing}: …, then run: {rerun}",
        )
    elif error.validator in {"additionalProperties", "unevaluatedProperties"} and _unexpected(error):
        known = sorted(_known_keys(error.schema, _schema(standard)))
        for key in _unexpected(error):
            if key in known and follows:
                continue
            near = [] if key in known else difflib.get_close_matches(key, known, n=1)
            yield Finding(
                code="MESH-C022",
                message=f"unknown key {key!r} in {name}" + (f"; did you mean {near[0]!r}?" if near else ""),
                where=document.at(*path, key),
                why=f"{standard} has no such key here; {_belongs(path, error.instance)}",
                fix=f"rename or remove it, then run: {rerun}",
            )
    elif choices := _choices(error):
        found = [key for key in choices if key in error.instance]
        yield Finding(
            code="MESH-C047",
            message=f"{name} has {' and '.join(found) or 'no operator'}, where exactly one belongs",
            where=document.at(*path),
            why=f"{standard} asks for one of: " + ", ".join(choices),
            fix=f"write one of them, then run: {rerun}",
        )
    elif error.validator == "type":
        wanted = (
            error.validator_value
            if isinstance(error.validator_value, str)
            else " or ".join(error.validator_value)
        )
        yield Finding(
            code="MESH-C023",
            message=f"{name} must be {_article(wanted)}, found {_kind(error.instance)}",
            where=document.at(*path),
            why=f"{standard} says so",
            fix=f"correct the value, then run: {rerun}",
        )
    elif error.validator in {"enum", "const"}:
        allowed = (
            error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        )
        near = difflib.get_close_matches(str(error.instance), [str(a) for a in allowed], n=1)
        yield Finding(
            code="MESH-C024",
            message=f"{name} cannot be {error.instance!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            where=document.at(*path),
            why="allowed: " + ", ".join(str(a) for a in allowed[:30]),
            fix=f"correct the value, then run: {rerun}",
        )
    else:
        yield Finding(
            code="MESH-C025",
            message=f"{name}: {error.message[:300]}",
            where=document.at(*path),
            why=f"{standard} refuses it ({error.validator})",
            fix=f"correct the value, then run: {rerun}",
        )


def _belongs(path: Path, holder: Any) -> str:
    if path[-2:-1] == ("quality",) and isinstance(holder, dict) and not {"metric", "type"} & holder.keys():
        return "a rule says its metric, or its type, before anything about it has a meaning"
    return "extensions go into customProperties"


def _unexpected(error: Any) -> list[str]:
    # The message shows each key as `repr` does, whatever quotes or brackets the key itself holds.
    instance = error.instance
    return [key for key in instance if repr(key) in error.message] if isinstance(instance, dict) else []


def _known_keys(schema: Any, root: Any, depth: int = 0) -> set[str]:
    """Every key that the schema at this place could mean, following references a few steps."""
    if not isinstance(schema, dict) or depth > 6:
        return set()
    keys = set(schema.get("properties", {}))
    reference = schema.get("$ref", "")
    if reference.startswith("#/"):
        target = root
        for part in reference[2:].split("/"):
            target = target.get(part, {})
        keys |= _known_keys(target, root, depth + 1)
    for word in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(word, ()):
            keys |= _known_keys(branch, root, depth + 1)
    for word in ("if", "then", "else"):
        keys |= _known_keys(schema.get(word), root, depth + 1)
    return keys


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    kinds = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    return kinds.get(type(value), type(value).__name__)


def _article(word: str) -> str:
    names = {"string": "text", "object": "a mapping", "array": "a list", "integer": "an integer"}
    return names.get(word, f"a {word}")
