"""Taking in a schema: its mode, its text, is it there already, the gate, its place, its compatibility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mesh.errors import SchemaError
from mesh_platform.registry import errors, rule_sets
from mesh_platform.registry.contexts import context_of
from mesh_platform.registry.draft import LARGEST, Draft, read_draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.inheritance import metadata_of, rule_set_of
from mesh_platform.registry.kinds import refuse_unsafe
from mesh_platform.registry.model import Content, Outcome, Record, Version
from mesh_platform.registry.parsing import Grounded, ground
from mesh_platform.registry.selection import matching
from mesh_platform.registry.settings import read_only
from mesh_platform.registry.verdict import judged
from mesh_platform.registry.views import version_answer
from mesh_platform.registry.warrant import Warrant, warrant_of

if TYPE_CHECKING:
    from mesh_platform.registry.state import RegistryState


def settled(state: RegistryState, body: Mapping[str, object]) -> Outcome | Draft:
    """The outcome of a registration that needs no record: refused for its own sake, or there already.

    Otherwise the draft, which only the order of the log can decide.
    """
    draft = _draft(state, body)
    if isinstance(draft, Refusal):
        return draft
    found = _settled(state, draft)
    return draft if isinstance(found, Grounded) else found


def register(state: RegistryState, record: Record) -> Outcome:
    """Answer for a `registry.register` record: the version as JSON, or why there is none."""
    draft = _draft(state, record.body)
    if isinstance(draft, Refusal):
        return draft
    grounded = _settled(state, draft)
    if not isinstance(grounded, Grounded):
        return grounded
    content = content_of(state, draft, grounded)
    refusal = _gate(state, draft, content, warrant_of(record.body)) or _place(state, draft, content)
    if refusal is not None:
        return refusal
    return version_answer(
        state.subjects.add(draft.subject, content, record.time, schema_id=draft.id, number=draft.version)
    )


def incompatibilities(state: RegistryState, subject: str, content: Content) -> list[str] | Refusal:
    """What keeps a content from following those that its subject's level compares it with."""
    config, live = state.settings.effective(subject), state.subjects.live(subject)
    return judged(state.subjects, subject, config, content, live)


def normalizes(state: RegistryState, draft: Draft) -> bool:
    """Whether spellings that mean the same are one schema: the draft says so, or its subject's settings."""
    return draft.normalize or bool(state.settings.effective(draft.subject).normalize)


def content_of(state: RegistryState, draft: Draft, grounded: Grounded) -> Content:
    """The draft, with what it leaves out taken over; one from another registry is taken as it is."""
    schema, references = grounded.schema, grounded.references
    text = schema.normal_text() if normalizes(state, draft) else schema.text
    if draft.id is not None:
        return Content(draft.kind, text, references, draft.metadata, draft.rule_set)
    live, config = state.subjects.live(draft.subject), state.settings.effective(draft.subject)
    before = live[-1].content if live else None
    metadata, rule_set = metadata_of(config, draft, before), rule_set_of(config, draft, before)
    return Content(draft.kind, text, references, metadata, rule_set)


def _draft(state: RegistryState, body: Mapping[str, object]) -> Draft | Refusal:
    """The draft, for the subject that its subject is an alias of."""
    draft = read_draft(body)
    if isinstance(draft, Refusal):
        return draft
    return replace(draft, subject=state.settings.target(draft.subject))


def _settled(state: RegistryState, draft: Draft) -> Outcome | Grounded:
    if refusal := _mode(state, draft):
        return refusal
    grounded = ground(state.subjects, draft.subject, draft.kind, draft.text, draft.references)
    if isinstance(grounded, Refusal):
        return grounded
    present = _present(state, draft, grounded)
    if present is None:
        return _unfit(state, draft, grounded) or _rules(state, draft, grounded) or grounded
    if draft.id not in (None, present.id):
        return errors.ID_MISMATCH.refuse(actual=present.id, given=draft.id)
    if draft.version in (None, present.version):
        return version_answer(present)
    # History may hold one schema twice; a subject that goes on from here takes it once.
    return grounded if draft.id is not None else _next(state, draft) or version_answer(present)


def _present(state: RegistryState, draft: Draft, grounded: Grounded) -> Version | None:
    """The live version that the draft is: what it leaves out does not count, unless it is imported."""
    if draft.id is None:
        found = matching(state.subjects, draft, grounded, normalize=normalizes(state, draft))
        for version in found:
            if not version.deleted:
                return version
    content = content_of(state, draft, grounded)
    same = [one for one in reversed(state.subjects.live(draft.subject)) if one.content == content]
    return next((one for one in same if one.version == draft.version), same[0] if same else None)


def _unfit(state: RegistryState, draft: Draft, grounded: Grounded) -> Refusal | None:
    """Why a valid schema is not taken in as a new one: unsafe to decode with, or built on what is deleted.

    What is imported is in use elsewhere: it is taken in as it is.
    """
    if draft.id is not None:
        return None
    for reference in grounded.references:
        referred = state.subjects.referred(draft.subject, reference)
        if referred is not None and referred.deleted:
            reason = f"Invalid schema: the reference {reference.name[:255]!r} leads to a deleted version"
            return errors.INVALID_SCHEMA.refuse(reason=reason)
    try:
        refuse_unsafe(grounded.schema)
    except SchemaError as error:
        return errors.INVALID_SCHEMA.refuse(reason=f"Invalid schema: {error}")
    return None


def _mode(state: RegistryState, draft: Draft) -> Refusal | None:
    mode, context = state.settings.effective_mode(draft.subject), context_of(draft.subject)
    if refusal := read_only(draft.subject, mode):
        return refusal
    if mode.takes_ids and draft.id is None:
        where = f"Subject {draft.subject} in context {context}"
        reason = f"{where} is in {mode.lower()} mode: give the id of the schema"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    if not mode.takes_ids and draft.id is not None:
        reason = f"Subject {draft.subject} in context {context} is not in import mode: an id may not be given"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    return None


def _rules(state: RegistryState, draft: Draft, grounded: Grounded) -> Refusal | None:
    checked = draft.id is None and state.settings.effective(draft.subject).validate_rules is not False
    return rule_sets.invalid(content_of(state, draft, grounded).rule_set) if checked else None


def _gate(state: RegistryState, draft: Draft, content: Content, warrant: Warrant) -> Refusal | None:
    reason = state.gate.check(draft.subject, content, warrant if draft.id is None else warrant.importing)
    return None if reason is None else errors.NOT_COVERED.refuse(reason=reason)


def _place(state: RegistryState, draft: Draft, content: Content) -> Refusal | None:
    holder = state.subjects.guid_holder(content.guid_key)
    if holder is not None and holder.identity != content.identity:
        reason = f"The guid {content.guid} of this schema belongs to another schema"
        return errors.INVALID_SCHEMA.refuse(reason=reason)
    if draft.id is not None:
        return _import(state, draft, draft.id, content)
    if refusal := _next(state, draft) or _room(state, draft, content):
        return refusal
    found = incompatibilities(state, draft.subject, content)
    if isinstance(found, Refusal):
        return found
    return (
        errors.INCOMPATIBLE.refuse(subject=draft.subject, details=f"[{', '.join(found)}]") if found else None
    )


def _next(state: RegistryState, draft: Draft) -> Refusal | None:
    versions = state.subjects.versions(draft.subject)
    upcoming = versions[-1].version + 1 if versions else 1
    if draft.version in (None, upcoming):
        return None
    reason = f"Version is not one more than the latest version: the next version is {upcoming}"
    return errors.INVALID_SCHEMA.refuse(reason=reason)


def _room(state: RegistryState, draft: Draft, content: Content) -> Refusal | None:
    ids, versions = state.subjects.ids(context_of(draft.subject)), state.subjects.versions(draft.subject)
    last_version = versions[-1].version if versions else 0
    if last_version < LARGEST and (ids.last < LARGEST or ids.of(content) is not None):
        return None
    return errors.NOT_PERMITTED.refuse(reason=f"No id or version is left: {LARGEST} was imported")


def _import(state: RegistryState, draft: Draft, schema_id: int, content: Content) -> Refusal | None:
    held = state.subjects.ids(context_of(draft.subject)).contents.get(schema_id)
    if held is not None and held.identity != content.identity:
        return errors.NOT_PERMITTED.refuse(reason=f"The id {schema_id} belongs to another schema")
    if draft.version is not None and state.subjects.version(draft.subject, draft.version):
        return errors.NOT_PERMITTED.refuse(reason=f"Version {draft.version} is taken by another schema")
    return None
