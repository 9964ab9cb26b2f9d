"""What may be mended without asking: edits of a few characters, and nothing else of the text moves.

A fix is made only where one answer is right and no reader notices: spelling, and what another line of the
declaration already says. What changes events, owners or promises is left to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.contract.spans import Span
from mesh.contract.suggestion import same_letters
from mesh.contract.yaml import Document, Path, read
from mesh.declaration import Declaration
from mesh.diagnostics.catalogue import rule_of
from mesh.errors import DeclarationError, Finding, Location

_SUGGESTED = re.compile(r"; did you mean (?P<quote>['\"])(?P<word>[^'\"]+)(?P=quote)\?\Z")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z|[0-9]+\.[0-9]+\.[0-9]+\Z|v[0-9]+\.[0-9]+\.[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters `start` to `end` of a file become `text`; for one finding."""

    file: str
    start: int
    end: int
    text: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Case:
    """One finding with all that a fix may look at."""

    finding: Finding
    document: Document
    path: Path
    declared: Declaration


def edits(findings: Iterable[Finding], sources: Mapping[str, str], declared: Declaration) -> tuple[Edit, ...]:
    """Every edit that is safe, in the order of files and places, none overlapping another."""
    documents: dict[str, Document | None] = {}
    found: dict[tuple[str, int], Edit] = {}
    for finding in findings:
        rule, where = rule_of(finding.code), finding.where
        fixer = _FIXERS.get(rule.name) if rule else None
        if fixer is None or not isinstance(where, Location) or where.file not in sources:
            continue
        if where.file not in documents:
            documents[where.file] = _read(sources[where.file], where.file)
        document = documents[where.file]
        for path in _paths(document, where) if document else ():
            assert document is not None
            edit = fixer(_Case(finding, document, path, declared))
            if edit is not None:
                found.setdefault((edit.file, edit.start), edit)
                break
    ordered = [found[key] for key in sorted(found)]
    return tuple(
        edit
        for before, edit in zip([None, *ordered], ordered, strict=False)
        if before is None or before.file != edit.file or before.end <= edit.start
    )


def mended(text: str, wanted: Iterable[Edit]) -> str:
    """The text with the edits of its file made, and every other character as it was."""
    for edit in sorted(wanted, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _read(text: str, file: str) -> Document | None:
    try:
        return read(text.encode(), file)
    except (DeclarationError, UnicodeEncodeError):
        return None


def _paths(document: Document, where: Location) -> list[Path]:
    """The nodes that stand at a place, the innermost first."""
    place = (where.line, where.column)
    return sorted((path for path, at in document.positions.items() if at == place), key=len, reverse=True)


def _value(case: _Case, wanted: str) -> Edit | None:
    """The scalar at the path becomes `wanted`, with the quotes that stand there."""
    span = case.document.span(*case.path)
    if span is None or not _PLAIN.match(wanted):
        return None
    old = case.document.text[span.start : span.end]
    quote = old[0] if old[:1] in ("'", '"') and old[-1:] == old[:1] and len(old) > 1 else ""
    if "\n" in old or old[:1] in ("|", ">"):
        return None
    return _edit(case, span, f"{quote}{wanted}{quote}")


def _key(case: _Case, wanted: str) -> Edit | None:
    span = case.document.key_span(*case.path)
    beside = _at(case.document.data, case.path[:-1])
    if span is None or not isinstance(beside, dict) or wanted in beside or not _PLAIN.match(wanted):
        return None
    return _edit(case, span, wanted)


def _edit(case: _Case, span: Span, text: str) -> Edit | None:
    if case.document.text[span.start : span.end] == text:
        return None
    return Edit(case.document.file, span.start, span.end, text, case.finding)


def _at(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _suggested(case: _Case, written: Any) -> str:
    """What the finding suggests, when it differs in nothing but case and separators."""
    match = _SUGGESTED.search(case.finding.message)
    if match is None or not isinstance(written, str) or not same_letters(written, match["word"]):
        return ""
    return match["word"]


def _misspelled_key(case: _Case) -> Edit | None:
    word = _suggested(case, case.path[-1] if case.path else None)
    return _key(case, word) if word else _given_up_key(case)


def _misspelled_value(case: _Case) -> Edit | None:
    word = _suggested(case, _at(case.document.data, case.path))
    return _value(case, word) if word else None


def _status(case: _Case) -> Edit | None:
    from mesh.contract.completeness import STATUSES

    written = _at(case.document.data, case.path)
    same = [word for word in STATUSES if isinstance(written, str) and word == written.strip().lower()]
    return _value(case, same[0]) if case.path == ("status",) and same else None


def _id_of_topic(case: _Case) -> Edit | None:
    topic = _at(case.document.data, ("schema", 0, "physicalName"))
    return _value(case, topic) if case.path == ("id",) and isinstance(topic, str) else None


def _port_version(case: _Case) -> Edit | None:
    if len(case.path) != 3 or case.path[-1] != "version":
        return None
    contract_id = _at(case.document.data, (*case.path[:-1], "contractId"))
    contract = case.declared.contracts.get(str(contract_id))
    return _value(case, str(contract.version)) if contract else None


def _api_version(case: _Case) -> Edit | None:
    written = str(_at(case.document.data, case.path))
    known = re.search(r": (?P<all>v[^;]*)\Z", case.finding.why)
    versions = known["all"].split(", ") if known else []
    corrected = f"v{written.lower().removeprefix('v')}"
    return _value(case, corrected) if case.path == ("apiVersion",) and corrected in versions else None


def _given_up_key(case: _Case) -> Edit | None:
    return _key(case, "metric") if "quality" in case.path and case.path[-1] == "rule" else None


#: By the names of rules.
_FIXERS: Mapping[str, Callable[[_Case], Edit | None]] = {
    "unknown-key": _misspelled_key,
    "value-not-allowed": _misspelled_value,
    "unknown-status": _status,
    "id-is-not-the-topic": _id_of_topic,
    "port-version": _port_version,
    "outside-the-vocabulary": _misspelled_value,
    "deprecated-key": _given_up_key,
    "unknown-version-of-the-standard": _api_version,
}
FIXABLE = frozenset(_FIXERS)
