"""Options that contradict themselves, and values that break their own property (MESH-C090, C091)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mesh.contract import instants
from mesh.contract.elements import Element, schema_objects
from mesh.contract.suggestion import did_you_mean
from mesh.contract.yaml import Document, Path
from mesh.errors import Finding

#: (smaller, larger, whether both may be equal)
_PAIRS = (
    ("minimum", "maximum", True),
    ("exclusiveMinimum", "maximum", False),
    ("minimum", "exclusiveMaximum", False),
    ("exclusiveMinimum", "exclusiveMaximum", False),
    ("minLength", "maxLength", True),
    ("minItems", "maxItems", True),
    ("minProperties", "maxProperties", True),
)
_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda v: isinstance(v, str), "text"),
    "integer": (lambda v: isinstance(v, int) and not isinstance(v, bool), "an integer"),
    "number": (lambda v: isinstance(v, int | float) and not isinstance(v, bool), "a number"),
    "boolean": (lambda v: isinstance(v, bool), "true or false"),
    "array": (lambda v: isinstance(v, list), "a list"),
    "object": (lambda v: isinstance(v, dict), "a mapping"),
    "map": (lambda v: isinstance(v, dict), "a mapping"),
    "date": (instants.is_date, "a date such as 2026-01-31"),
    "timestamp": (instants.is_timestamp, "a time such as '2026-01-31T10:00:00Z'"),
    "time": (instants.is_time, "a time of day such as '10:00:00'"),
}
_PATTERN_LIMIT = 1_000


def findings(document: Document) -> Iterator[Finding]:
    """MESH-C090 for options that no value can meet, C091 for a value that its own property refuses."""
    for schema in schema_objects(document.data):
        for element in schema.elements():
            yield from _contradictions(document, element)
            yield from _own_values(document, element)


def bounds(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options with exclusive bounds as values: ODCS 3.0 wrote them as booleans beside minimum and maximum."""
    found = dict(options)
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and plain in found:
            found[exclusive] = found.pop(plain)
    return found


def _contradictions(document: Document, element: Element) -> Iterator[Finding]:
    options = bounds(element.item.get("logicalTypeOptions") or {})
    for low, high, equal in _PAIRS:
        smaller: Any = options.get(low)
        larger: Any = options.get(high)
        if not _comparable(smaller, larger):
            continue
        if smaller > larger or (smaller == larger and not equal):
            yield _contradiction(
                document,
                (*element.path, "logicalTypeOptions", low),
                f"{low} {smaller} and {high} {larger} of {element.name!r} leave no value",
                "correct one of the two",
            )
    own = [child.get("name") for child in element.item.get("properties") or []]
    asked = options.get("required")
    for index, name in enumerate(asked if isinstance(asked, list) else []):
        if own and name not in own:
            yield _contradiction(
                document,
                (*element.path, "logicalTypeOptions", "required", index),
                f"{element.name!r} requires {name!r}, which it has not"
                + did_you_mean(str(name), map(str, own)),
                "correct the name, or write required: true on the property itself",
            )
    seen: list[Any] = []
    for index, entry in enumerate(element.item.get("enum") or []):
        value = entry.get("value") if isinstance(entry, dict) else entry
        if value in seen[:1_000]:
            yield _contradiction(
                document,
                (*element.path, "enum", index),
                f"the value {str(value)[:80]!r} stands twice in the enum of {element.name!r}",
                "remove one of them",
            )
        seen.append(value)


def _contradiction(document: Document, path: Path, message: str, fix: str) -> Finding:
    why = "what contradicts itself would refuse every event, or be read in two ways"
    return Finding(code="MESH-C090", message=message, where=document.at(*path), why=why, fix=fix)


def _own_values(document: Document, element: Element) -> Iterator[Finding]:
    item = element.item
    options = bounds(item.get("logicalTypeOptions") or {})
    values: list[tuple[Path, Any]] = [
        ((*element.path, "examples", index), value) for index, value in enumerate(item.get("examples") or [])
    ]
    for index, entry in enumerate(item.get("customProperties") or []):
        # A default is written as Avro has it; whether its type fits, the Avro schema says.
        if entry["property"] == "avroDefault" and _plainly(item.get("logicalType"), entry["value"]):
            values.append(((*element.path, "customProperties", index, "value"), entry["value"]))
    for path, value in values[:1_000]:
        broken = None if value is None else _broken(value, item, options)
        if broken:
            yield Finding(
                code="MESH-C091",
                severity="warning",
                message=f"{str(value)[:80]!r} is no value of {element.name!r}: {broken}",
                where=document.at(*path),
                why="an example or a default is read as a value that the property takes",
                fix="correct it, or the options of the property; quote text that looks like a number",
            )


def _broken(value: Any, item: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    kind = item.get("logicalType")
    fits, expected = _KINDS.get(str(kind), (lambda _: True, ""))
    # A format of dates says how this text is written, which only its reader knows.
    written = kind in ("date", "timestamp", "time") and "format" in options
    if not written and not fits(value):
        return f"expected {expected}"
    allowed = [entry.get("value") if isinstance(entry, dict) else entry for entry in item.get("enum") or []]
    if allowed and value not in allowed[:1_000]:
        return "it is not in its enum"
    for word, (outside, says) in _LIMITS.items():
        limit = options.get(word)
        if not written and limit is not None and outside(value, limit):
            return f"{says} {limit}"
    pattern = options.get("pattern")
    if isinstance(value, str) and isinstance(pattern, str) and not _matches(pattern, value):
        return f"it does not match {pattern[:80]!r}"
    return ""


def _plainly(kind: Any, value: Any) -> bool:
    return kind in ("string", "integer", "number", "boolean") and _KINDS[kind][0](value)


def _comparable(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    texts = isinstance(one, str) and isinstance(other, str) and len(one) == len(other)
    return texts or (isinstance(one, int | float) and isinstance(other, int | float))


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list) else None


_LIMITS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda v, limit: _comparable(v, limit) and v < limit, "it is below"),
    "maximum": (lambda v, limit: _comparable(v, limit) and v > limit, "it is above"),
    "exclusiveMinimum": (lambda v, limit: _comparable(v, limit) and v <= limit, "it is not above"),
    "exclusiveMaximum": (lambda v, limit: _comparable(v, limit) and v >= limit, "it is not below"),
    "minLength": (lambda v, limit: _comparable(_length(v), limit) and len(v) < limit, "it is shorter than"),
    "maxLength": (lambda v, limit: _comparable(_length(v), limit) and len(v) > limit, "it is longer than"),
    "minItems": (
        lambda v, limit: _comparable(_length(v), limit) and len(v) < limit,
        "it has fewer items than",
    ),
    "maxItems": (
        lambda v, limit: _comparable(_length(v), limit) and len(v) > limit,
        "it has more items than",
    ),
}


def _matches(pattern: str, value: str) -> bool:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return len(pattern) > _PATTERN_LIMIT or re2.compile(pattern, options).search(value) is not None
    except re2.error:
        return True  # a pattern that cannot be used is a finding of its own
