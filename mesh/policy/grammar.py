"""From the YAML of a condition to the condition: `{path: x, exists: true}`, `{all: […]}`, `{some: …}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mesh import limits
from mesh.contract.yaml import Path
from mesh.policy.conditions import All, Always, AnyOf, Condition, Count, Every, Not, Some, Test, Value
from mesh.policy.forms import Forms
from mesh.policy.operators import (
    COMPARISONS,
    KINDS,
    Among,
    Compare,
    Contains,
    InUnit,
    Is,
    Length,
    Matches,
    Number,
    SameAs,
    operand,
    words,
)
from mesh.policy.paths import BadPath, NodePath, parse_path
from mesh.policy.subject import FACT_NAMES

Lists = Mapping[str, Sequence[str]]
HEADS = ("path", "all", "any", "not", "some", "every", "count")
TESTS = (
    "exists",
    "equals",
    "sameAs",
    "in",
    "matches",
    "contains",
    "containsAny",
    "words",
    "is",
    "length",
    *COMPARISONS,
)
_SCALARS = (str, int, float, bool)


def condition(data: Any, path: Path, forms: Forms, lists: Lists) -> Condition:
    """Read one condition; what is wrong goes into `forms`, and `Always` stands in for it."""
    if not isinstance(data, dict):
        forms.refuse(path, "this is no condition", "a condition is a mapping", _example())
        return Always()
    heads = [key for key in HEADS if key in data]
    if len(heads) != 1:
        found = f", found {' and '.join(heads)}" if heads else ""
        why = "a condition begins with one of: " + ", ".join(HEADS)
        near = [key for key in data if key not in TESTS]
        forms.known_keys(dict.fromkeys(near), HEADS, path)
        if not near or heads:
            forms.refuse(path, f"a condition says one thing{found}", why, _example())
        return Always()
    head = heads[0]
    readers: dict[str, Callable[[dict[str, Any], Path, Forms, Lists], Condition]] = {
        "path": _value,
        "all": _several,
        "any": _several,
        "not": _not,
        "some": _quantified,
        "every": _quantified,
        "count": _quantified,
    }
    return readers[head](data, path, forms, lists)


def path_of(text: Any, place: Path, forms: Forms, *, many: bool) -> NodePath:
    """Read a path; `many` says whether it is to name several nodes or one."""
    try:
        found = parse_path(text, FACT_NAMES)
    except BadPath as error:
        forms.refuse(
            place, f"{str(text)[:80]!r} is not a path", str(error), "as in team.members[]", code="MESH-C164"
        )
        return NodePath("", "", False, (), many)
    if found.many is not many:
        fix = "write some:, every: or count: with it" if found.many else f"write {text}[]"
        what = "many nodes where one is asked about" if found.many else "one node where many are gone through"
        forms.refuse(
            place, f"{text!r} names {what}", "it would not be clear which is meant", fix, code="MESH-C164"
        )
    return found


def _value(data: dict[str, Any], path: Path, forms: Forms, lists: Lists) -> Condition:
    forms.known_keys(data, ("path", "unit", *TESTS), path)
    if all(data.get(key) is None for key in TESTS):
        forms.refuse(
            path, "nothing is asked of the path", "known tests: " + ", ".join(TESTS), "write exists: true"
        )
    exists = data.get("exists")
    if exists is not None and not isinstance(exists, bool):
        forms.refuse(
            (*path, "exists"), "exists is not true or false", f"found {str(exists)[:80]!r}", "exists: true"
        )
    unit = path_of(data["unit"], (*path, "unit"), forms, many=False) if "unit" in data else None
    return Value(
        path=path_of(data["path"], (*path, "path"), forms, many=False),
        tests=tuple(_tests(data, path, forms, lists)),
        exists=exists,
        convert=InUnit(unit) if unit else None,
    )


def _several(data: dict[str, Any], path: Path, forms: Forms, lists: Lists) -> Condition:
    key = "all" if "all" in data else "any"
    forms.known_keys(data, (key,), path)
    if not isinstance(data[key], list) or not data[key]:
        forms.refuse((*path, key), f"{key} is not a list of conditions", "it joins several", _example())
        return Always()
    found = tuple(condition(item, (*path, key, i), forms, lists) for i, item in enumerate(data[key]))
    return All(found) if key == "all" else AnyOf(found)


def _not(data: dict[str, Any], path: Path, forms: Forms, lists: Lists) -> Condition:
    forms.known_keys(data, ("not",), path)
    return Not(condition(data["not"], (*path, "not"), forms, lists))


def _quantified(data: dict[str, Any], path: Path, forms: Forms, lists: Lists) -> Condition:
    head = next(key for key in ("some", "every", "count") if key in data)
    more = COMPARISONS if head == "count" else ()
    forms.known_keys(data, (head, "where", *more), path)
    nodes = path_of(data[head], (*path, head), forms, many=True)
    if "where" in data:
        where = condition(data["where"], (*path, "where"), forms, lists)
    else:
        where = Always()
        if head == "every":
            forms.refuse(path, "every without where", "it says what holds of each node", "write where: {…}")
    if head == "count":
        return Count(nodes, where, tuple(_counts(data, path, forms)))
    return Some(nodes, where) if head == "some" else Every(nodes, where)


def _tests(data: dict[str, Any], path: Path, forms: Forms, lists: Lists) -> list[Test]:
    made: list[Test] = []
    for key in data:
        place = (*path, key)
        if key in COMPARISONS:
            made += _comparison(key, data[key], place, forms)
        elif key == "equals":
            made += [Among((value,)) for value in _scalars([data[key]], place, forms)]
        elif key in ("in", "containsAny"):
            values = tuple(_scalars(_listed(data[key], lists), place, forms))
            made.append(Among(values) if key == "in" else Contains(values))
        elif key == "contains":
            made += [Contains((value,)) for value in _scalars([data[key]], place, forms)]
        elif key == "sameAs":
            made.append(SameAs(path_of(data[key], place, forms, many=False)))
        elif key == "matches":
            made += _matches(data[key], place, forms)
        elif key == "words":
            made += [words([str(v) for v in _scalars(_listed(data[key], lists), place, forms)])]
        elif key == "is":
            if isinstance(data[key], str) and data[key] in KINDS:
                made.append(Is(data[key]))
            else:
                forms.not_among(data[key], tuple(KINDS), place)
        elif key == "length":
            made += _length(data[key], place, forms)
    return made


def _comparison(key: str, wanted: Any, place: Path, forms: Forms) -> list[Compare]:
    found = operand(wanted)
    if found is None:
        why = (
            "a value is compared with a number, a duration (P400D, forever) or a day (2026-12-31, today+P90D)"
        )
        forms.refuse(place, f"{key} cannot be {str(wanted)[:80]!r}", why, f"write {key}: 1", code="MESH-C164")
        return []
    return [Compare(key, found)]


def _counts(data: Mapping[str, Any], path: Path, forms: Forms) -> list[Compare]:
    made = []
    for key in COMPARISONS:
        if key in data:
            for test in _comparison(key, data[key], (*path, key), forms):
                if isinstance(test.operand, Number):
                    made.append(test)
                else:
                    what = f"{key} cannot be {str(data[key])[:80]!r}"
                    forms.refuse((*path, key), what, "it counts", f"write {key}: 1", code="MESH-C164")
    if not any(key in data for key in COMPARISONS):
        forms.refuse(
            path, "nothing is asked of the count", "known: " + ", ".join(COMPARISONS), "write atLeast: 1"
        )
    return made


def _length(data: Any, place: Path, forms: Forms) -> list[Test]:
    if not isinstance(data, dict):
        forms.refuse(place, "length is no mapping", "it is compared", "write length: {atLeast: 10}")
        return []
    forms.known_keys(data, tuple(COMPARISONS), place)
    return [Length(tuple(_counts(data, place, forms)))]


def _matches(pattern: Any, place: Path, forms: Forms) -> list[Test]:
    import re2

    options = re2.Options()
    options.log_errors = False
    why = f"a pattern is text of at most {limits.PATTERN_LENGTH} characters"
    if isinstance(pattern, str) and len(pattern) <= limits.PATTERN_LENGTH:
        try:
            return [Matches(re2.compile(pattern, options))]
        except re2.error as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            why = f"patterns are RE2, which answers in linear time; it says: {reason}"
    fix = "write it without look-around and back references, and close every bracket"
    forms.refuse(place, f"the pattern {str(pattern)[:80]!r} cannot be used", why, fix, code="MESH-C165")
    return []


def _listed(value: Any, lists: Lists) -> Any:
    return list(lists[value]) if isinstance(value, str) and value in lists else value


def _scalars(values: Any, place: Path, forms: Forms) -> list[Any]:
    if isinstance(values, list) and values and all(isinstance(value, _SCALARS) for value in values):
        return values
    why = "expected text, a number, true or false; or a list of them; or the name of one of `lists`"
    forms.refuse(
        place, f"{str(values)[:80]!r} cannot be compared", why, "correct the value", code="MESH-C164"
    )
    return []


def _example() -> str:
    return "as in {path: team.members, exists: true}"
