"""Changing settings: compatibility and mode, of the registry or of one subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_platform.registry import errors
from mesh_platform.registry.contexts import subject_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Outcome, Record
from mesh_platform.registry.settings import DEFAULT, Config, Mode, changed_config, read_mode, read_only
from mesh_platform.registry.warrant import warrant_of

if TYPE_CHECKING:
    from mesh_platform.registry.state import RegistryState


def set_config(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.set-config`: the settings as changed."""
    settings, subject = state.settings, _scope(record)
    if isinstance(subject, Refusal):
        return subject
    mode = settings.mode if subject is None else settings.effective_mode(subject)
    if refusal := read_only(subject or "the registry", mode):
        return refusal
    now = settings.config if subject is None else settings.configs.get(subject, Config())
    config = changed_config(now, record.body)
    if isinstance(config, Refusal):
        return config
    if refusal := _gate(state, subject, now, config, record):
        return refusal
    if subject is None:
        settings.config = config if config.level else Config(DEFAULT.level, config.normalize, config.group)
    elif config == Config():
        settings.configs.pop(subject, None)
    else:
        settings.configs[subject] = config
    return (settings.config if subject is None else settings.effective(subject)).answer("compatibility")


def delete_config(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.delete-config`: the settings as they were."""
    settings, subject = state.settings, _scope(record)
    if isinstance(subject, Refusal):
        return subject
    now = settings.config if subject is None else settings.configs.get(subject, Config())
    if refusal := _gate(state, subject, now, Config(), record):
        return refusal
    if subject is None:
        before, settings.config = settings.config, DEFAULT
        return before.answer("compatibilityLevel")
    config = settings.configs.pop(subject, None)
    if config is None:
        return errors.SUBJECT_NOT_FOUND.refuse(subject=subject)
    return config.answer("compatibilityLevel")


def set_mode(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.set-mode`: the mode as set; IMPORT needs an empty subject, or `force`."""
    subject, mode = _scope(record), read_mode(record.body.get("mode"))
    if isinstance(subject, Refusal):
        return subject
    if isinstance(mode, Refusal):
        return mode
    if mode is Mode.IMPORT and record.body.get("force") is not True:
        subjects = state.subjects.names() if subject is None else [subject]
        if any(state.subjects.live(name) for name in subjects):
            reason = "Cannot import since found existing subjects: delete them first, or use force=true"
            return errors.NOT_PERMITTED.refuse(reason=reason)
    if subject is None:
        state.settings.mode = mode
    else:
        state.settings.modes[subject] = mode
    return {"mode": mode.value}


def delete_mode(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.delete-mode`: the mode as it was."""
    settings, subject = state.settings, _scope(record)
    if isinstance(subject, Refusal):
        return subject
    if subject is None:
        before, settings.mode = settings.mode, Mode.READWRITE
        return {"mode": before.value}
    mode = settings.modes.pop(subject, None)
    return errors.SUBJECT_NOT_FOUND.refuse(subject=subject) if mode is None else {"mode": mode.value}


def _gate(
    state: RegistryState, subject: str | None, before: Config, after: Config, record: Record
) -> Refusal | None:
    reason = state.gate.settings(subject, before, after, warrant_of(record.body))
    return None if reason is None else errors.NO_RIGHT.refuse(reason=reason)


def _scope(record: Record) -> str | Refusal | None:
    subject = record.body.get("subject")
    return None if subject is None else subject_name(subject)
