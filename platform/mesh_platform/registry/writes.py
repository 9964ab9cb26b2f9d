"""The registry's write requests: each becomes a record of the control log, whose order decides.

A registration that changes nothing (the schema is there already, or is no schema) is answered
without a record: producers ask for their schema again at every start.
"""

from __future__ import annotations

from starlette.requests import Request

from mesh.errors import UsageError
from mesh.schema.strict_json import compact
from mesh_platform import idempotency
from mesh_platform.registry import errors, state
from mesh_platform.registry.config import FIELDS
from mesh_platform.registry.draft import POSTED, Draft, read_draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.http import RequestRefused, flag, read_body
from mesh_platform.registry.model import Answer, Content, Outcome
from mesh_platform.registry.parsing import ground
from mesh_platform.registry.paths import context_in, scope_of, subject_of
from mesh_platform.registry.registration import content_of, incompatibilities, settled
from mesh_platform.registry.selection import LATEST, chosen
from mesh_platform.registry.service import RegistryService
from mesh_platform.registry.tagging import tag_registration
from mesh_platform.registry.verdict import judged
from mesh_platform.registry.warrant import KEY, Warrant


class Writes:
    """Write endpoints, and the compatibility question, over one registry."""

    def __init__(self, registry: RegistryService) -> None:
        self._registry = registry

    async def register(self, request: Request) -> Outcome:
        """POST /subjects/{subject}/versions"""
        # What this registry does not know is left out: the log keeps what is in it for ever.
        body = {key: part for key, part in (await read_body(request)).items() if key in POSTED}
        return await self._register(request, {**body, "subject": subject_of(request)})

    async def tag(self, request: Request) -> Outcome:
        """POST /subjects/{subject}/versions/{version}/tags: the schema with other tags, as a version"""
        await self._registry.current()
        subjects, subject = self._registry.state.subjects, self._subject(request)
        version = chosen(subject, subjects.live(subject), request.path_params["version"])
        if isinstance(version, Refusal):
            return version
        upcoming = subjects.versions(subject)[-1].version + 1
        body = tag_registration(version, upcoming, await read_body(request))
        return body if isinstance(body, Refusal) else await self._register(request, body)

    async def delete_subject(self, request: Request) -> Outcome:
        """DELETE /subjects/{subject}"""
        body: dict[str, Answer] = {"subject": subject_of(request), "permanent": flag(request, "permanent")}
        return await self._submit(request, state.DELETE_SUBJECT, body)

    async def delete_version(self, request: Request) -> Outcome:
        """DELETE /subjects/{subject}/versions/{version}"""
        body: dict[str, Answer] = {
            "subject": subject_of(request),
            "version": request.path_params["version"],
            "permanent": flag(request, "permanent"),
        }
        return await self._submit(request, state.DELETE_VERSION, body)

    async def delete_context(self, request: Request) -> Outcome:
        """DELETE /contexts/{context}"""
        return await self._submit(request, state.DELETE_CONTEXT, {"context": context_in(request)})

    async def set_config(self, request: Request) -> Outcome:
        """PUT /config and /config/{subject}"""
        asked = {key: value for key, value in (await read_body(request)).items() if key in FIELDS}
        return await self._submit(request, state.SET_CONFIG, {**asked, **_scope(request)})

    async def delete_config(self, request: Request) -> Outcome:
        """DELETE /config and /config/{subject}"""
        return await self._submit(request, state.DELETE_CONFIG, _scope(request))

    async def set_mode(self, request: Request) -> Outcome:
        """PUT /mode and /mode/{subject}"""
        asked: dict[str, Answer] = {"mode": (await read_body(request)).get("mode")}
        body = {**asked, **_scope(request), "force": flag(request, "force")}
        return await self._submit(request, state.SET_MODE, body)

    async def delete_mode(self, request: Request) -> Outcome:
        """DELETE /mode and /mode/{subject}"""
        body: dict[str, Answer] = {**_scope(request), "recursive": flag(request, "recursive")}
        return await self._submit(request, state.DELETE_MODE, body)

    async def compatible_with_version(self, request: Request) -> Outcome:
        """POST /compatibility/subjects/{subject}/versions/{version}: against that one version"""
        subject, content = self._subject(request), await self._content(request)
        if isinstance(content, Refusal):
            return _unusable(request, content)
        live, wanted = self._registry.state.subjects.live(subject), request.path_params["version"]
        if not live and wanted in LATEST:
            return {"is_compatible": True}
        version = chosen(subject, live, wanted)
        if isinstance(version, Refusal):
            missing = version.error_code == errors.SUBJECT_NOT_FOUND.error_code
            return errors.VERSION_NOT_FOUND.refuse(version=wanted) if missing else version
        state = self._registry.state
        config = state.settings.effective(subject)
        return _verdict(request, judged(state.subjects, subject, config, content, [version]))

    async def compatible(self, request: Request) -> Outcome:
        """POST /compatibility/subjects/{subject}/versions: against what the subject's level demands"""
        content = await self._content(request)
        if isinstance(content, Refusal):
            return _unusable(request, content)
        return _verdict(request, incompatibilities(self._registry.state, self._subject(request), content))

    def _subject(self, request: Request) -> str:
        return self._registry.state.settings.target(subject_of(request))

    async def _content(self, request: Request) -> Content | Refusal:
        state = self._registry.state
        draft = read_draft({**await read_body(request), "subject": self._subject(request)})
        if isinstance(draft, Refusal):
            return draft
        grounded = ground(state.subjects, draft.subject, draft.kind, draft.text, draft.references)
        return grounded if isinstance(grounded, Refusal) else content_of(state, draft, grounded)

    async def _register(self, request: Request, body: dict[str, Answer]) -> Outcome:
        if flag(request, "normalize"):
            body["normalize"] = True
        if not isinstance(settled(self._registry.state, body), Draft):
            # Told from what is known here, it may be of a moment that other processes have left behind.
            await self._registry.current()
        outcome = settled(self._registry.state, body)
        return await self._submit(request, state.REGISTER, body) if isinstance(outcome, Draft) else outcome

    async def _submit(self, request: Request, kind: str, body: dict[str, Answer]) -> Outcome:
        try:
            key = request.headers.get(idempotency.HEADER)
            command = idempotency.command_of(key, kind, compact(body))
        except UsageError as error:
            raise RequestRefused(errors.BAD_REQUEST.refuse(reason=f"{error.what}: {error.why}")) from None
        actor = str(request.scope.get("principal", "anonymous"))
        # Last, over whatever a client wrote there; a request that nobody vouched for has no rights.
        warrant = Warrant(request.scope.get("rights", frozenset()), open=False)
        return await self._registry.submit(kind, {**body, KEY: warrant.as_data()}, actor, command)


def _scope(request: Request) -> dict[str, Answer]:
    return {"subject": scope_of(request)}


def _unusable(request: Request, refusal: Refusal) -> Outcome:
    if flag(request, "verbose") and refusal.error_code == errors.INVALID_SCHEMA.error_code:
        return {"is_compatible": False, "messages": [refusal.message]}
    return refusal


def _verdict(request: Request, found: list[str] | Refusal) -> Outcome:
    if isinstance(found, Refusal):
        return _unusable(request, found)
    answer: dict[str, Answer] = {"is_compatible": not found}
    if flag(request, "verbose"):
        answer["messages"] = list(found)
    return answer
