"""What a request's path names: a subject, a schema id, a context, or the scope of a setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from starlette.requests import Request

from mesh_platform.registry import errors
from mesh_platform.registry.contexts import (
    ANYWHERE,
    DEFAULT,
    context_name,
    context_of,
    inside,
    own_name,
    seen_from,
)
from mesh_platform.registry.draft import LARGEST
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.http import RequestRefused

Value = TypeVar("Value")
_QUALIFIED = (":.", ANYWHERE)


def granted(outcome: Value | Refusal) -> Value:
    """The value, or RequestRefused."""
    if isinstance(outcome, Refusal):
        raise RequestRefused(outcome)
    return outcome


def context_in(request: Request) -> str:
    """The context that the path leads into; raises RequestRefused when it is none."""
    text = request.path_params.get("context")
    return DEFAULT if text is None else granted(context_name(text))


def subject_of(request: Request) -> str:
    """The subject in the path; raises RequestRefused when it is none."""
    return granted(seen_from(context_in(request), request.path_params["subject"]))


def scope_of(request: Request) -> str | None:
    """Whose settings the path is about: a subject's, a context's (`:.eu:`), or None for the registry's."""
    if "subject" in request.path_params:
        return subject_of(request)
    context = context_in(request)
    return None if context == DEFAULT else inside(context, "")


def asked_subject(request: Request) -> str | None:
    """The subject that a question about an id is limited to; raises RequestRefused when it is none."""
    asked = request.query_params.get("subject")
    return None if asked is None else granted(seen_from(context_in(request), asked))


def prefixed(request: Request, names: Iterable[str]) -> list[str]:
    """The subjects among `names` that begin as `subjectPrefix` says: `:*:` is every context."""
    context, prefix = context_in(request), request.query_params.get("subjectPrefix", "")
    if "context" in request.path_params and not prefix.startswith(_QUALIFIED):
        return [name for name in names if context_of(name) == context and own_name(name).startswith(prefix)]
    if prefix.startswith(ANYWHERE):
        return [name for name in names if own_name(name).startswith(prefix.removeprefix(ANYWHERE))]
    if prefix.startswith(":.:"):
        prefix = prefix.removeprefix(":.:")
        return [name for name in names if context_of(name) == DEFAULT and name.startswith(prefix)]
    return [name for name in names if name.startswith(prefix)]


def id_of(request: Request) -> int:
    """The schema id in the path; raises RequestRefused when it cannot be one."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LARGEST):
        raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=text[:80]))
    return int(text)
