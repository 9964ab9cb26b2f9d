"""Taking schemas away: softly first (readable by id, gone from the subject), then for good.

What another schema refers to stays: for good while any version refers to it, softly while a live one
does. Versions that go together do not hold each other back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesh_platform.registry import errors
from mesh_platform.registry.contexts import DEFAULT, context_name, context_of, subject_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Answer, Outcome, Record, Version
from mesh_platform.registry.selection import chosen
from mesh_platform.registry.settings import read_only
from mesh_platform.registry.warrant import warrant_of

if TYPE_CHECKING:
    from mesh_platform.registry.state import RegistryState


def delete_subject(state: RegistryState, record: Record) -> Outcome:
    """Answer for a `registry.delete-subject` record: the numbers of the versions deleted."""
    subject = subject_name(record.body.get("subject"))
    if isinstance(subject, Refusal):
        return subject
    versions, live = state.subjects.versions(subject), state.subjects.live(subject)
    if not versions:
        return errors.SUBJECT_NOT_FOUND.refuse(subject=subject)
    if refusal := _kept(state, subject, record):
        return refusal
    if record.body.get("permanent") is True:
        return errors.SUBJECT_NOT_SOFT_DELETED.refuse(subject=subject) if live else _remove(state, versions)
    if not live:
        return errors.SUBJECT_SOFT_DELETED.refuse(subject=subject)
    return _hide(state, live)


def delete_version(state: RegistryState, record: Record) -> Outcome:
    """Answer for a `registry.delete-version` record: the number of the version deleted."""
    subject = subject_name(record.body.get("subject"))
    if isinstance(subject, Refusal):
        return subject
    wanted, permanent = str(record.body.get("version")), record.body.get("permanent") is True
    # «Latest» means the latest that the client can see; a number may name a version already deleted.
    visible = (
        state.subjects.versions(subject) if permanent or wanted.isdigit() else state.subjects.live(subject)
    )
    version = chosen(subject, visible, wanted)
    if isinstance(version, Refusal):
        return version
    if refusal := _kept(state, subject, record):
        return refusal
    if permanent != version.deleted:
        row = errors.VERSION_NOT_SOFT_DELETED if permanent else errors.VERSION_SOFT_DELETED
        return row.refuse(subject=subject, version=version.version)
    done = _remove(state, [version]) if permanent else _hide(state, [version])
    return done if isinstance(done, Refusal) else version.version


def delete_context(state: RegistryState, record: Record) -> Outcome:
    """Answer for a `registry.delete-context` record: nothing; 42211 while it has subjects, deleted or not."""
    context = context_name(str(record.body.get("context")))
    if isinstance(context, Refusal):
        return context
    if context == DEFAULT:
        return errors.NOT_PERMITTED.refuse(reason="The default context cannot be deleted")
    if any(context_of(name) == context for name in state.subjects.names()):
        return errors.CONTEXT_NOT_EMPTY.refuse(context=context)
    state.subjects.unlist(context)
    for scope in {*state.settings.configs, *state.settings.modes}:
        if context_of(scope) == context:
            state.settings.forget(scope)
    return None


def _hide(state: RegistryState, versions: Sequence[Version]) -> Answer | Refusal:
    if refusal := _referenced(state, versions, by_live_only=True):
        return refusal
    for version in versions:
        state.subjects.hide(version)
    return _numbers(versions)


def _kept(state: RegistryState, subject: str, record: Record) -> Refusal | None:
    if refusal := read_only(subject, state.settings.effective_mode(subject)):
        return refusal
    permanent = record.body.get("permanent") is True
    reason = state.gate.deletion(subject, warrant_of(record.body), permanent=permanent)
    return None if reason is None else errors.NO_RIGHT.refuse(reason=reason)


def _remove(state: RegistryState, versions: Sequence[Version]) -> Answer | Refusal:
    if refusal := _referenced(state, versions, by_live_only=False):
        return refusal
    for version in versions:
        state.subjects.remove(version)
    if not state.subjects.versions(versions[0].subject):
        state.settings.forget(versions[0].subject)
    return _numbers(versions)


def _referenced(state: RegistryState, versions: Sequence[Version], *, by_live_only: bool) -> Refusal | None:
    going = {(version.subject, version.version) for version in versions}
    for version in versions:
        for referrer in state.subjects.referrers(version):
            stays = (referrer.subject, referrer.version) not in going
            if stays and not (by_live_only and referrer.deleted):
                return errors.REFERENCED.refuse(subject=version.subject, version=version.version)
    return None


def _numbers(versions: Sequence[Version]) -> Answer:
    return [version.version for version in versions]
