"""How a client wants a schema served: `format`, `referenceFormat` and `findTags` of a request."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request

from mesh_platform.registry.contexts import context_of, own_name, seen_from
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.kinds.avro import Avro
from mesh_platform.registry.model import Answer, Content, Reference
from mesh_platform.registry.parsing import understood
from mesh_platform.registry.subjects import Subjects
from mesh_platform.registry.tags import found_tags

#: The parameters that make an answer another than the usual one.
ASKED = frozenset({"format", "findTags", "referenceFormat"})


def text_for(request: Request, subjects: Subjects, subject: str, content: Content) -> str:
    """The text of a schema of `subject`; a format that its kind does not have is not heeded."""
    if request.query_params.get("format") != "resolved" or not content.references:
        return content.text
    found = understood(subjects, subject, content)
    return found.schema.complete_text() if isinstance(found, Avro) else content.text


def shaped(
    request: Request, subjects: Subjects, subject: str, content: Content, answer: dict[str, Answer]
) -> dict[str, Answer]:
    """An answer about a schema of `subject` as the request wants it."""
    if not ASKED & request.query_params.keys():
        return answer
    answer["schema"] = text_for(request, subjects, subject, content)
    if wanted := request.query_params.getlist("findTags"):
        answer["schemaTags"] = found_tags(content, {tag for text in wanted for tag in text.split(",")})
    if content.references and request.query_params.get("referenceFormat", "").lower() == "qualified":
        answer["references"] = [_qualified(subject, reference).answer() for reference in content.references]
    return answer


def _qualified(subject: str, reference: Reference) -> Reference:
    name = seen_from(context_of(subject), reference.subject)
    if isinstance(name, Refusal):
        return reference
    return replace(reference, subject=f":{context_of(name)}:{own_name(name)}")
