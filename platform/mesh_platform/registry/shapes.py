"""How a client wants a schema served: `format=resolved` with its references written out, `findTags`."""

from __future__ import annotations

from starlette.requests import Request

from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.kinds.avro import Avro
from mesh_platform.registry.model import Answer, Content
from mesh_platform.registry.parsing import understood
from mesh_platform.registry.subjects import Subjects
from mesh_platform.registry.tags import found_tags

_ASKED = frozenset({"format", "findTags"})


def text_for(request: Request, subjects: Subjects, subject: str, content: Content) -> str:
    """The text of a schema of `subject`; a format that its kind does not have is not heeded."""
    if request.query_params.get("format") != "resolved" or not content.references:
        return content.text
    found = understood(subjects, subject, content)
    return (
        content.text
        if isinstance(found, Refusal) or not isinstance(found, Avro)
        else found.schema.complete_text()
    )


def shaped(
    request: Request, subjects: Subjects, subject: str, content: Content, answer: dict[str, Answer]
) -> dict[str, Answer]:
    """An answer about a schema of `subject` as the request wants it."""
    if not _ASKED & request.query_params.keys():
        return answer
    answer["schema"] = text_for(request, subjects, subject, content)
    if wanted := request.query_params.getlist("findTags"):
        answer["schemaTags"] = found_tags(content, {tag for text in wanted for tag in text.split(",")})
    return answer
