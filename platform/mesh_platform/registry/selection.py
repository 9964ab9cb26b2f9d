"""Which version a client means: by number, as «latest», or by content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_platform.registry import errors
from mesh_platform.registry.draft import LARGEST, Draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Version
from mesh_platform.registry.parsing import Grounded, read
from mesh_platform.registry.subjects import Subjects

#: How clients write the latest version.
LATEST = ("latest", "-1")


def chosen(subject: str, visible: Sequence[Version], wanted: str) -> Version | Refusal:
    """The version `wanted` (a number, `latest` or -1) among the visible ones, oldest first."""
    latest = wanted in LATEST
    digits = wanted.isascii() and wanted.isdigit() and len(wanted) <= len(str(LARGEST))
    if not latest and not (digits and 1 <= int(wanted) <= LARGEST):
        return errors.INVALID_VERSION.refuse(version=wanted[:80])
    if not visible:
        return errors.SUBJECT_NOT_FOUND.refuse(subject=subject)
    if latest:
        return visible[-1]
    found = next((version for version in visible if version.version == int(wanted)), None)
    return found or errors.VERSION_NOT_FOUND.refuse(version=wanted)


def matching(subjects: Subjects, draft: Draft, grounded: Grounded, *, normalize: bool) -> Iterator[Version]:
    """The versions of the draft's subject that have its schema, newest first.

    Metadata and rule set count when the draft has them: a client that posts only a schema means the
    schema. With `normalize`, spellings that mean the same do not count.
    """
    text, normal = grounded.schema.text, grounded.schema.normal_text() if normalize else None
    texts = (text, normal)
    for version in reversed(subjects.versions(draft.subject)):
        content = version.content
        if content.kind is not draft.kind or content.references != grounded.references:
            continue
        if draft.metadata is not None and draft.metadata != content.metadata:
            continue
        if draft.rule_set is not None and draft.rule_set != content.rule_set:
            continue
        if content.text in texts or (normalize and _normal(subjects, version) == normal):
            yield version


def _normal(subjects: Subjects, version: Version) -> str | None:
    found = read(subjects, version)
    return None if isinstance(found, Refusal) else found.normal_text()
