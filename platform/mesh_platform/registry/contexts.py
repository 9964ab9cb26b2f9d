"""Contexts: rooms of subjects with ids of their own, written into a subject's name as `:.room:subject`.

The default context `.` is not written: `:.:subject` and `subject` are one name. Every function here
expects names as `subject_name` returns them. (Confluent's registry: "Schema contexts".)
"""

from __future__ import annotations

import re
from typing import Final

from mesh import limits
from mesh_platform.registry import errors
from mesh_platform.registry.errors import Refusal

DEFAULT: Final = "."
#: Before a prefix of subjects' names: in whatever context.
ANYWHERE: Final = ":*:"
_GLOBAL: Final = ".__GLOBAL"
_RESERVED: Final = ("__GLOBAL", "__EMPTY")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def subject_name(name: object) -> str | Refusal:
    """A subject's name, spelled one way: with its context unless it is the default; 42208 when it is none."""
    if not isinstance(name, str):
        return errors.INVALID_SUBJECT.refuse(subject=name, reason="a subject is text")
    shown = name[: limits.NAME_LENGTH]
    if len(name) > limits.SUBJECT_LENGTH:
        reason = f"it is longer than {limits.SUBJECT_LENGTH:,} characters"
        return errors.INVALID_SUBJECT.refuse(subject=shown, reason=reason)
    if _CONTROL.search(name):
        return errors.INVALID_SUBJECT.refuse(subject=shown, reason="it holds control characters")
    context, own = _parts(name)
    if context == _GLOBAL or own in _RESERVED or own.startswith((":.", ANYWHERE)):
        return errors.INVALID_SUBJECT.refuse(subject=shown, reason="the name is reserved")
    return inside(context, own)


def context_name(text: str) -> str | Refusal:
    """A context's name with its dot, from `eu`, `.eu` or `:.eu:`; 42208 when it is none."""
    bare = text.removeprefix(":").removesuffix(":").removeprefix(".")
    if ":" in bare:
        return errors.INVALID_SUBJECT.refuse(
            subject=text[: limits.NAME_LENGTH], reason="no context has this name"
        )
    name = subject_name(f":.{bare}:")
    return name if isinstance(name, Refusal) else context_of(name)


def context_of(subject: str) -> str:
    """The context a subject is in."""
    return subject[1 : subject.index(":", 1)] if subject.startswith(":.") else DEFAULT


def own_name(subject: str) -> str:
    """A subject's name within its context."""
    return subject[subject.index(":", 1) + 1 :] if subject.startswith(":.") else subject


def inside(context: str, own: str) -> str:
    """The name of a subject of a context."""
    return own if context == DEFAULT else f":{context}:{own}"


def seen_from(context: str, name: str) -> str | Refusal:
    """The subject that `name` means for those in `context`: without a context of its own, one of theirs."""
    return subject_name(name if name.startswith(":.") else inside(context, name))


def _parts(name: str) -> tuple[str, str]:
    if not name.startswith(":."):
        return DEFAULT, name
    context, _, own = name[1:].partition(":")
    return context, own
