"""Reading schemas by id and by guid: what serializers and deserializers ask for.

Ids belong to a context: the one in the path, else the one of the `subject` that is asked with, else
the default. Soft-deleted versions stay readable by id, so consumers of old events go on.
"""

from __future__ import annotations

from starlette.requests import Request

from mesh.schema.strict_json import compact
from mesh_platform.registry import errors
from mesh_platform.registry.contexts import DEFAULT, context_of, inside, own_name
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.fingerprint import guid_of_text
from mesh_platform.registry.http import RequestRefused, flag, page
from mesh_platform.registry.listing import visible
from mesh_platform.registry.model import Answer, Content, Outcome, Version
from mesh_platform.registry.parsing import understood
from mesh_platform.registry.paths import asked_subject, context_in, id_of
from mesh_platform.registry.service import RegistryService
from mesh_platform.registry.shapes import ASKED, shaped, text_for
from mesh_platform.registry.views import content_answer

#: Answers kept ready: more than the schemas that are read at one time, less than all.
_REMEMBERED = 10_000
_SPECIAL = ASKED | {"fetchMaxId"}


class ById:
    """Endpoints below /schemas/ids and /schemas/guids, over one registry."""

    def __init__(self, registry: RegistryService) -> None:
        self._registry = registry
        #: Answers by id are asked for by every reader of every event: encoded once.
        self._encoded: dict[tuple[str, int], tuple[Content, bytes]] = {}

    async def by_id(self, request: Request) -> Outcome | bytes:
        """GET /schemas/ids/{id}"""
        schema_id = id_of(request)
        context = self._context(request, schema_id)
        content = self._content(schema_id, context)
        if _SPECIAL & request.query_params.keys():
            return self._special(request, schema_id, context, content)
        known = self._encoded.get((context, schema_id))
        if known is None or known[0] is not content:
            known = (content, compact(content_answer(content)).encode())
            self._encoded[context, schema_id] = known
            while len(self._encoded) > _REMEMBERED:
                del self._encoded[next(iter(self._encoded))]
        return known[1]

    async def schema_by_id(self, request: Request) -> bytes:
        """GET /schemas/ids/{id}/schema: the schema itself"""
        schema_id = id_of(request)
        context = self._context(request, schema_id)
        content, subjects = self._content(schema_id, context), self._registry.state.subjects
        return text_for(request, subjects, subjects.uses(schema_id, context)[0].subject, content).encode()

    async def hazards(self, request: Request) -> Outcome:
        """GET /mesh/schemas/ids/{id}/hazards: why its events are not safe to decode; none when they are"""
        schema_id = id_of(request)
        content, subjects = self._content(schema_id, DEFAULT), self._registry.state.subjects
        found = understood(subjects, subjects.uses(schema_id)[0].subject, content)
        if isinstance(found, Refusal):
            return found
        return [
            {"code": one.code, "path": one.path, "what": one.what, "why": one.why} for one in found.hazards
        ]

    async def subjects_by_id(self, request: Request) -> Outcome:
        """GET /schemas/ids/{id}/subjects"""
        return list[Answer](page(request, sorted({version.subject for version in self._uses(request)})))

    async def versions_by_id(self, request: Request) -> Outcome:
        """GET /schemas/ids/{id}/versions"""
        uses: list[Answer] = [{"subject": use.subject, "version": use.version} for use in self._uses(request)]
        return page(request, uses)

    async def by_guid(self, request: Request) -> Outcome:
        """GET /schemas/guids/{guid}: the same in every context"""
        context, schema_id = self._guid(request)[0]
        return self._special(request, schema_id, context, self._content(schema_id, context))

    async def ids_by_guid(self, request: Request) -> Outcome:
        """GET /schemas/guids/{guid}/ids"""
        return [{"context": context, "id": schema_id} for context, schema_id in self._guid(request)]

    def _asked(self, request: Request) -> str | None:
        subject = asked_subject(request)
        return None if subject is None else self._registry.state.settings.target(subject)

    def _special(self, request: Request, schema_id: int, context: str, content: Content) -> Outcome:
        subjects, answer = self._registry.state.subjects, content_answer(content)
        if flag(request, "fetchMaxId"):
            answer["maxId"] = subjects.ids(context).last
        return shaped(request, subjects, subjects.uses(schema_id, context)[0].subject, content, answer)

    def _context(self, request: Request, schema_id: int) -> str:
        subject = self._asked(request)
        context = context_in(request) if subject is None else context_of(subject)
        subjects = self._registry.state.subjects
        contexts = subjects.contexts()
        if subject and context == DEFAULT and len(contexts) > 1:
            # A client that knows no contexts names the topic's subject; the id may be of another one.
            for candidate in (DEFAULT, *contexts):
                if subjects.has_use(schema_id, inside(candidate, subject)):
                    return candidate
        return context

    def _content(self, schema_id: int, context: str) -> Content:
        content = self._registry.state.subjects.content(schema_id, context)
        if content is None:
            raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=schema_id))
        return content

    def _uses(self, request: Request) -> list[Version]:
        schema_id, subject = id_of(request), self._asked(request)
        context = self._context(request, schema_id)
        self._content(schema_id, context)
        uses = visible(request, self._registry.state.subjects.uses(schema_id, context))
        wanted = own_name(subject) if subject else ""
        return [use for use in uses if not wanted or own_name(use.subject) == wanted]

    def _guid(self, request: Request) -> list[tuple[str, int]]:
        text = request.path_params["guid"]
        guid = guid_of_text(text)
        found = self._registry.state.subjects.ids_of_guid(guid) if guid else []
        if not found:
            raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=text[:80]))
        return found
