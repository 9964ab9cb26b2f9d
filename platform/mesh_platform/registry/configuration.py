"""Changing settings: configuration and mode of the registry, of a context or of a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_platform.registry import errors
from mesh_platform.registry.config import DEFAULT, Config, changed_config
from mesh_platform.registry.contexts import context_of, own_name, seen_from, subject_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.model import Outcome, Record
from mesh_platform.registry.settings import Mode, Settings, read_mode, read_only
from mesh_platform.registry.warrant import warrant_of

if TYPE_CHECKING:
    from mesh_platform.registry.state import RegistryState


def set_config(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.set-config`: the scope's settings as changed, with the level in force."""
    settings, scope = state.settings, _scope(record)
    if isinstance(scope, Refusal):
        return scope
    if refusal := _frozen(settings, scope):
        return refusal
    now = settings.config if scope is None else settings.configs.get(scope, Config())
    config = changed_config(now, _placed(record, scope))
    if isinstance(config, Refusal):
        return config
    if refusal := _gate(state, scope, now, config, record):
        return refusal
    if config.alias is not None and (scope is None or not own_name(scope) or config.alias == scope):
        reason = "An alias names another subject, and only a subject can have one"
        return errors.INVALID_COMPATIBILITY.refuse(reason=reason)
    if scope is None:
        settings.config = config.over(DEFAULT)
        return settings.config.answer("compatibility")
    if config == Config():
        settings.configs.pop(scope, None)
    else:
        settings.configs[scope] = config
    return config.over(Config(level=settings.effective(scope).level)).answer("compatibility")


def delete_config(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.delete-config`: the settings as they were."""
    settings, scope = state.settings, _scope(record)
    if isinstance(scope, Refusal):
        return scope
    if refusal := _frozen(settings, scope):
        return refusal
    now = settings.config if scope is None else settings.configs.get(scope, Config())
    if refusal := _gate(state, scope, now, Config(), record):
        return refusal
    if scope is None:
        before, settings.config = settings.config, DEFAULT
        return before.answer("compatibilityLevel")
    config = settings.configs.pop(scope, None)
    if config is None:
        return errors.SUBJECT_NOT_FOUND.refuse(subject=scope)
    return config.answer("compatibilityLevel")


def set_mode(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.set-mode`: the mode as set; IMPORT needs a scope without subjects, or `force`."""
    scope, mode = _scope(record), read_mode(record.body.get("mode"))
    if isinstance(scope, Refusal):
        return scope
    if isinstance(mode, Refusal):
        return mode
    if mode is Mode.FORWARD and scope is not None:
        return errors.NOT_PERMITTED.refuse(reason="Forward mode only supported on global level")
    names = [name for name in state.subjects.names() if _within(scope, name)]
    forced = record.body.get("force") is True
    if mode is Mode.IMPORT and not forced and any(state.subjects.live(name) for name in names):
        reason = "Cannot import since found existing subjects: delete them first, or use force=true"
        return errors.NOT_PERMITTED.refuse(reason=reason)
    if scope is None:
        state.settings.mode = mode
    else:
        state.settings.modes[scope] = mode
    return {"mode": mode.value}


def delete_mode(state: RegistryState, record: Record) -> Outcome:
    """Answer for `registry.delete-mode`: the mode as it was; `recursive` takes those of its subjects too."""
    settings, scope = state.settings, _scope(record)
    if isinstance(scope, Refusal):
        return scope
    before = settings.mode if scope is None else settings.modes.get(scope)
    recursive = record.body.get("recursive") is True
    gone = [name for name in settings.modes if name == scope or (recursive and _within(scope, name))]
    if before is None and not gone:
        return errors.SUBJECT_NOT_FOUND.refuse(subject=scope)
    if scope is None:
        settings.mode = Mode.READWRITE
    answer = before or settings.effective_mode(scope or "")
    for name in gone:
        del settings.modes[name]
    return {"mode": answer.value}


def _gate(
    state: RegistryState, subject: str | None, before: Config, after: Config, record: Record
) -> Refusal | None:
    reason = state.gate.settings(subject, before, after, warrant_of(record.body))
    return None if reason is None else errors.NO_RIGHT.refuse(reason=reason)


def _scope(record: Record) -> str | Refusal | None:
    subject = record.body.get("subject")
    name = None if subject is None else subject_name(subject)
    # `:.:` is the default context, whose settings are those of the registry.
    return None if name == "" and subject else name


def _frozen(settings: Settings, scope: str | None) -> Refusal | None:
    mode = settings.mode if scope is None else settings.effective_mode(scope)
    return read_only("the registry" if scope is None else scope, mode)


def _within(scope: str | None, subject: str) -> bool:
    if scope is None or scope == subject:
        return True
    return not own_name(scope) and context_of(scope) == context_of(subject)


def _placed(record: Record, scope: str | None) -> dict[str, object]:
    """The body of the request, its alias seen from the context of the scope."""
    alias = record.body.get("alias")
    if scope is None or not isinstance(alias, str) or not alias:
        return dict(record.body)
    name = seen_from(context_of(scope), alias)
    return {**record.body, "alias": alias if isinstance(name, Refusal) else name}
