"""Taking in a schema: there already, else mode, gate, id and version, compatibility, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh.compatibility import Level
from mesh_platform.registry import errors
from mesh_platform.registry.draft import Draft, read_draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Content, Outcome, Record
from mesh_platform.registry.selection import matching
from mesh_platform.registry.settings import Mode, read_only
from mesh_platform.registry.verdict import comparable, reasons
from mesh_platform.registry.views import version_answer

if TYPE_CHECKING:
    from mesh_platform.registry.state import RegistryState


def settled(state: RegistryState, body: Mapping[str, object]) -> Outcome | Draft:
    """The outcome of a registration that needs no record: refused for its own sake, or there already.

    Otherwise the draft, which only the order of the log can decide.
    """
    draft = read_draft(body)
    if isinstance(draft, Refusal):
        return draft
    normalize = draft.normalize or bool(state.settings.effective(draft.subject).normalize)
    present = next(
        (found for found in matching(state.subjects, draft, normalize=normalize) if not found.deleted), None
    )
    if present is None or draft.version not in (None, present.version):
        return draft
    if draft.id not in (None, present.id):
        return errors.ID_MISMATCH.refuse(actual=present.id, given=draft.id)
    return version_answer(present)


def register(state: RegistryState, record: Record) -> Outcome:
    """Answer for a `registry.register` record: the version as JSON, or why there is none."""
    draft = settled(state, record.body)
    if not isinstance(draft, Draft):
        return draft
    content = _content(state, draft)
    refusal = (
        read_only(draft.subject, state.settings.effective_mode(draft.subject))
        or _gate(state, draft)
        or _place(state, draft, content)
    )
    if refusal is not None:
        return refusal
    return version_answer(
        state.subjects.add(draft.subject, content, record.time, schema_id=draft.id, number=draft.version)
    )


def incompatibilities(state: RegistryState, subject: str, content: Content) -> list[str] | Refusal:
    """What keeps a content from following those that its subject's level compares it with."""
    config = state.settings.effective(subject)
    versions = comparable(content, state.subjects.live(subject), config.group)
    return reasons(content.schema, versions, config.level or Level.BACKWARD)


def _content(state: RegistryState, draft: Draft) -> Content:
    """The draft, with what it leaves out taken over from the version before."""
    live = state.subjects.live(draft.subject)
    before = live[-1].content if live else Content(draft.schema)
    return Content(
        draft.schema,
        before.metadata if draft.metadata is None else draft.metadata,
        before.rule_set if draft.rule_set is None else draft.rule_set,
    )


def _gate(state: RegistryState, draft: Draft) -> Refusal | None:
    reason = state.gate.check(draft.subject, draft.schema)
    return None if reason is None else errors.NOT_COVERED.refuse(reason=reason)


def _place(state: RegistryState, draft: Draft, content: Content) -> Refusal | None:
    if state.settings.effective_mode(draft.subject) is Mode.IMPORT:
        return _import(state, draft, content)
    if draft.id is not None:
        reason = f"Subject {draft.subject} is not in import mode: an id may not be given"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    versions = state.subjects.versions(draft.subject)
    upcoming = versions[-1].version + 1 if versions else 1
    if draft.version not in (None, upcoming):
        reason = f"Version is not one more than the latest version: the next version is {upcoming}"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    found = incompatibilities(state, draft.subject, content)
    if isinstance(found, Refusal):
        return found
    return (
        errors.INCOMPATIBLE.refuse(subject=draft.subject, details=f"[{', '.join(found)}]") if found else None
    )


def _import(state: RegistryState, draft: Draft, content: Content) -> Refusal | None:
    if draft.id is None:
        reason = f"Subject {draft.subject} is in import mode: give the id of the schema"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    held = state.subjects.holds(draft.id)
    if held is not None and held.identity != content.identity:
        return errors.NOT_PERMITTED.refuse(reason=f"The id {draft.id} belongs to another schema")
    if draft.version is not None and state.subjects.version(draft.subject, draft.version):
        return errors.NOT_PERMITTED.refuse(reason=f"Version {draft.version} is taken by another schema")
    return None
