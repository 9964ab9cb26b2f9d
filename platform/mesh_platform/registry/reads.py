"""The registry's read requests: answered from the state, nothing is written.

Behaviour: soft-deleted versions are invisible unless `deleted=true`; by id they stay readable, so
consumers of old events go on. Lists are sorted and paged by `offset` and `limit`.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import unquote

from starlette.requests import Request

from mesh.schema.strict_json import compact
from mesh_platform.registry import errors
from mesh_platform.registry.contexts import DEFAULT, subject_name
from mesh_platform.registry.draft import LARGEST, read_draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.fingerprint import guid_of_text
from mesh_platform.registry.http import RequestRefused, flag, page, read_body
from mesh_platform.registry.model import Answer, Content, Outcome, Version
from mesh_platform.registry.parsing import parse
from mesh_platform.registry.registration import normalizes
from mesh_platform.registry.selection import chosen, matching
from mesh_platform.registry.service import RegistryService
from mesh_platform.registry.views import content_answer, version_answer

Value = TypeVar("Value")


class Reads:
    """Read endpoints over one registry."""

    def __init__(self, registry: RegistryService) -> None:
        self._registry = registry
        #: Answers by id are asked for by every reader of every event: encoded once.
        self._encoded: dict[int, tuple[Content, bytes]] = {}

    async def root(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /"""
        return {}

    async def types(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /schemas/types"""
        return ["AVRO"]

    async def contexts(self, request: Request) -> Outcome:
        """GET /contexts"""
        return page(request, ["."])

    async def associations(self, request: Request) -> Outcome:  # noqa: ARG002
        """Any request below /associations: 404, on which serializers fall back to the topic's name."""
        return errors.ASSOCIATION_NOT_FOUND.refuse()

    async def subjects(self, request: Request) -> Outcome:
        """GET /subjects"""
        prefix = request.query_params.get("subjectPrefix", ":*:").removeprefix(":*:").removeprefix(":.:")
        subjects = self._registry.state.subjects
        names = [name for name in subjects.names() if name.startswith(prefix)]
        return page(request, [name for name in names if self._shown(request, subjects.versions(name))])

    async def lookup(self, request: Request) -> Outcome:
        """POST /subjects/{subject}: which version a schema is."""
        body = {**await read_body(request), "subject": subject_of(request)}
        draft = read_draft({**body, "normalize": flag(request, "normalize")})
        if isinstance(draft, Refusal):
            return draft
        state = self._registry.state
        parsed = parse(state.subjects, draft.subject, draft.kind, draft.text, draft.references)
        if isinstance(parsed, Refusal):
            return parsed
        self._visible(request)
        found = matching(state.subjects, draft, parsed, normalize=normalizes(state, draft))
        hidden = flag(request, "deleted")
        version = next((version for version in found if hidden or not version.deleted), None)
        return errors.SCHEMA_NOT_FOUND.refuse() if version is None else version_answer(version)

    async def versions(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions"""
        subject = subject_of(request)
        every = self._registry.state.subjects.versions(subject)
        if flag(request, "deletedAsNegative"):
            numbers = [-version.version if version.deleted else version.version for version in every]
        else:
            numbers = [version.version for version in self._shown(request, every)]
        return (
            list[Answer](page(request, numbers))
            if numbers
            else errors.SUBJECT_NOT_FOUND.refuse(subject=subject)
        )

    async def version(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions/{version}"""
        return version_answer(self._chosen(request))

    async def version_schema(self, request: Request) -> bytes:
        """GET /subjects/{subject}/versions/{version}/schema: the schema itself"""
        return self._chosen(request).content.text.encode()

    async def referenced_by(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions/{version}/referencedby: nothing, as references are refused"""
        self._chosen(request)
        return []

    async def latest_with_metadata(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/metadata: the latest version that has all the properties asked for"""
        # Official Python clients encode these parameters twice.
        keys = [unquote(key) for key in request.query_params.getlist("key")]
        values = [unquote(value) for value in request.query_params.getlist("value")]
        if len(keys) != len(values):
            return errors.BAD_REQUEST.refuse(reason="give one value for each key")
        wanted = dict(zip(keys, values, strict=True))
        for version in reversed(self._visible(request)):
            properties = (version.content.metadata or {}).get("properties")
            if isinstance(properties, dict) and wanted.items() <= properties.items():
                return version_answer(version)
        return errors.SCHEMA_NOT_FOUND.refuse()

    async def schemas(self, request: Request) -> Outcome:
        """GET /schemas: every version, or the latest of each subject"""
        prefix = request.query_params.get("subjectPrefix", ":*:").removeprefix(":*:").removeprefix(":.:")
        subjects = self._registry.state.subjects
        found: list[Version] = []
        for name in subjects.names():
            if name.startswith(prefix):
                versions = self._shown(request, subjects.versions(name))
                found += versions[-1:] if flag(request, "latestOnly") else versions
        return [version_answer(version) for version in page(request, found)]

    async def by_id(self, request: Request) -> Outcome | bytes:
        """GET /schemas/ids/{id}"""
        schema_id = id_of(request)
        content = self._content(schema_id)
        if flag(request, "fetchMaxId"):
            return {**content_answer(content), "maxId": self._registry.state.subjects.ids(DEFAULT).last}
        known = self._encoded.get(schema_id)
        if known is None or known[0] is not content:
            known = self._encoded[schema_id] = (content, compact(content_answer(content)).encode())
        return known[1]

    async def schema_by_id(self, request: Request) -> bytes:
        """GET /schemas/ids/{id}/schema: the schema itself"""
        return self._content(id_of(request)).text.encode()

    async def subjects_by_id(self, request: Request) -> Outcome:
        """GET /schemas/ids/{id}/subjects"""
        return list[Answer](page(request, sorted({version.subject for version in self._uses(request)})))

    async def versions_by_id(self, request: Request) -> Outcome:
        """GET /schemas/ids/{id}/versions"""
        uses: list[Answer] = [{"subject": use.subject, "version": use.version} for use in self._uses(request)]
        return page(request, uses)

    async def by_guid(self, request: Request) -> Outcome:
        """GET /schemas/guids/{guid}"""
        return content_answer(self._content(self._guid(request)[0][1]))

    async def ids_by_guid(self, request: Request) -> Outcome:
        """GET /schemas/guids/{guid}/ids"""
        return [{"context": context, "id": schema_id} for context, schema_id in self._guid(request)]

    async def config(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /config"""
        return self._registry.state.settings.config.answer("compatibilityLevel")

    async def subject_config(self, request: Request) -> Outcome:
        """GET /config/{subject}: its own settings, or with defaultToGlobal=true those in force"""
        subject, settings = subject_of(request), self._registry.state.settings
        if flag(request, "defaultToGlobal"):
            return settings.effective(subject).answer("compatibilityLevel")
        own = settings.configs.get(subject)
        if own is None:
            return errors.NO_SUBJECT_COMPATIBILITY.refuse(subject=subject)
        return own.answer("compatibilityLevel")

    async def levels(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /mesh/levels: the level of every subject that has one of its own, in one answer"""
        configs = self._registry.state.settings.configs
        return {name: own.level.value for name, own in sorted(configs.items()) if own.level}

    async def mode(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /mode"""
        return {"mode": self._registry.state.settings.mode.value}

    async def subject_mode(self, request: Request) -> Outcome:
        """GET /mode/{subject}: its own mode, or with defaultToGlobal=true the one in force"""
        subject, settings = subject_of(request), self._registry.state.settings
        if flag(request, "defaultToGlobal"):
            return {"mode": settings.effective_mode(subject).value}
        own = settings.modes.get(subject)
        return errors.NO_SUBJECT_MODE.refuse(subject=subject) if own is None else {"mode": own.value}

    def _shown(self, request: Request, versions: list[Version]) -> list[Version]:
        if flag(request, "deletedOnly", "deleted_only"):
            return [version for version in versions if version.deleted]
        return (
            versions if flag(request, "deleted") else [version for version in versions if not version.deleted]
        )

    def _visible(self, request: Request) -> list[Version]:
        subject = subject_of(request)
        versions = self._shown(request, self._registry.state.subjects.versions(subject))
        if not versions:
            raise RequestRefused(errors.SUBJECT_NOT_FOUND.refuse(subject=subject))
        return versions

    def _chosen(self, request: Request) -> Version:
        subject = subject_of(request)
        versions = self._shown(request, self._registry.state.subjects.versions(subject))
        return granted(chosen(subject, versions, request.path_params["version"]))

    def _content(self, schema_id: int) -> Content:
        content = self._registry.state.subjects.content(schema_id)
        if content is None:
            raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=schema_id))
        return content

    def _uses(self, request: Request) -> list[Version]:
        self._content(id_of(request))
        return self._shown(request, self._registry.state.subjects.uses(id_of(request)))

    def _guid(self, request: Request) -> list[tuple[str, int]]:
        text = request.path_params["guid"]
        guid = guid_of_text(text)
        found = self._registry.state.subjects.ids_of_guid(guid) if guid else []
        if not found:
            raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=text[:80]))
        return found


def granted(outcome: Value | Refusal) -> Value:
    """The value, or RequestRefused."""
    if isinstance(outcome, Refusal):
        raise RequestRefused(outcome)
    return outcome


def subject_of(request: Request) -> str:
    """The subject in the path; raises RequestRefused when it is none."""
    return granted(subject_name(request.path_params["subject"]))


def id_of(request: Request) -> int:
    """The schema id in the path; raises RequestRefused when it cannot be one."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LARGEST):
        raise RequestRefused(errors.SCHEMA_ID_NOT_FOUND.refuse(id=text[:80]))
    return int(text)
