"""The registry's read requests: answered from the state, nothing is written.

Behaviour: soft-deleted versions are invisible unless `deleted=true`; by id they stay readable, so
consumers of old events go on. Lists are sorted and paged by `offset` and `limit`.
"""

from __future__ import annotations

from importlib import metadata
from urllib.parse import unquote

from starlette.requests import Request

from mesh_platform.registry import errors
from mesh_platform.registry.draft import KEPT, read_draft
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.http import RequestRefused, flag, page, read_body
from mesh_platform.registry.listing import listed, visible
from mesh_platform.registry.model import Answer, Outcome, Version
from mesh_platform.registry.parsing import ground
from mesh_platform.registry.paths import granted, prefixed, scope_of, subject_of
from mesh_platform.registry.registration import normalizes
from mesh_platform.registry.selection import chosen, matching
from mesh_platform.registry.service import RegistryService
from mesh_platform.registry.shapes import shaped, text_for
from mesh_platform.registry.views import version_answer


class Reads:
    """Read endpoints over one registry."""

    def __init__(self, registry: RegistryService) -> None:
        self._registry = registry

    async def root(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /"""
        return {}

    async def types(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /schemas/types"""
        return [kind.value for kind in KEPT]

    async def contexts(self, request: Request) -> Outcome:
        """GET /contexts"""
        prefix = request.query_params.get("contextPrefix", "")
        names = self._registry.state.subjects.contexts()
        return list[Answer](page(request, [name for name in names if name.startswith(prefix)]))

    async def associations(self, request: Request) -> Outcome:  # noqa: ARG002
        """Any request below /associations: 404, on which serializers fall back to the topic's name."""
        return errors.ASSOCIATION_NOT_FOUND.refuse()

    async def cluster(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /v1/metadata/id"""
        return {"id": "", "scope": {"path": [], "clusters": {"schema-registry-cluster": "mesh"}}}

    async def release(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /v1/metadata/version"""
        return {"version": metadata.version("mesh"), "commitId": ""}

    async def subjects(self, request: Request) -> Outcome:
        """GET /subjects"""
        subjects = self._registry.state.subjects
        names = prefixed(request, subjects.names())
        return list[Answer](
            page(request, [name for name in names if visible(request, subjects.versions(name))])
        )

    async def lookup(self, request: Request) -> Outcome:
        """POST /subjects/{subject}: which version a schema is."""
        body = {**await read_body(request), "subject": self._subject(request)}
        draft = read_draft({**body, "normalize": flag(request, "normalize")})
        if isinstance(draft, Refusal):
            return draft
        state = self._registry.state
        grounded = ground(state.subjects, draft.subject, draft.kind, draft.text, draft.references)
        if isinstance(grounded, Refusal):
            return grounded
        self._visible(request)
        found = matching(state.subjects, draft, grounded, normalize=normalizes(state, draft))
        hidden = flag(request, "deleted")
        version = next((version for version in found if hidden or not version.deleted), None)
        return errors.SCHEMA_NOT_FOUND.refuse() if version is None else self._answer(request, version)

    async def versions(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions"""
        subject = self._subject(request)
        every = self._registry.state.subjects.versions(subject)
        if flag(request, "deletedAsNegative"):
            numbers = [-version.version if version.deleted else version.version for version in every]
        else:
            numbers = [version.version for version in visible(request, every)]
        return (
            list[Answer](page(request, numbers))
            if numbers
            else errors.SUBJECT_NOT_FOUND.refuse(subject=subject)
        )

    async def version(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions/{version}"""
        return self._answer(request, self._chosen(request))

    async def version_schema(self, request: Request) -> bytes:
        """GET /subjects/{subject}/versions/{version}/schema: the schema itself"""
        version = self._chosen(request)
        return text_for(request, self._registry.state.subjects, version.subject, version.content).encode()

    async def referenced_by(self, request: Request) -> Outcome:
        """GET /subjects/{subject}/versions/{version}/referencedby: the ids of the schemas that refer to it"""
        subjects = self._registry.state.subjects
        every = subjects.versions(self._subject(request))
        version = granted(chosen(self._subject(request), every, request.path_params["version"]))
        ids = {referrer.id for referrer in visible(request, subjects.referrers(version))}
        return list[Answer](page(request, sorted(ids)))

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
                return self._answer(request, version)
        return errors.SCHEMA_NOT_FOUND.refuse()

    async def schemas(self, request: Request) -> Outcome:
        """GET /schemas: every version, or the latest of each subject"""
        state = self._registry.state
        found = page(request, list(listed(request, state.subjects)))
        if not flag(request, "aliases"):
            return [version_answer(version) for version in found]
        aliases = state.settings.aliases()
        return [
            {**version_answer(one), "aliases": list[Answer](aliases.get(one.subject, []))} for one in found
        ]

    async def config(self, request: Request) -> Outcome:
        """GET /config and /config/{subject}: its own settings, or with defaultToGlobal=true those in force"""
        scope, settings = scope_of(request), self._registry.state.settings
        if scope is None:
            return settings.config.answer("compatibilityLevel")
        if flag(request, "defaultToGlobal"):
            return settings.effective(scope).answer("compatibilityLevel")
        own = settings.configs.get(scope)
        if own is None:
            return errors.NO_SUBJECT_COMPATIBILITY.refuse(subject=scope)
        return own.answer("compatibilityLevel")

    async def levels(self, request: Request) -> Outcome:  # noqa: ARG002
        """GET /mesh/levels: the level of every subject that has one of its own, in one answer"""
        configs = self._registry.state.settings.configs
        return {name: own.level.value for name, own in sorted(configs.items()) if own.level}

    async def mode(self, request: Request) -> Outcome:
        """GET /mode and /mode/{subject}: its own mode, or with defaultToGlobal=true the one in force"""
        scope, settings = scope_of(request), self._registry.state.settings
        if scope is None:
            return {"mode": settings.mode.value}
        if flag(request, "defaultToGlobal"):
            return {"mode": settings.effective_mode(scope).value}
        own = settings.modes.get(scope)
        return errors.NO_SUBJECT_MODE.refuse(subject=scope) if own is None else {"mode": own.value}

    def _answer(self, request: Request, version: Version) -> Outcome:
        subjects, answer = self._registry.state.subjects, version_answer(version)
        return shaped(request, subjects, version.subject, version.content, answer)

    def _subject(self, request: Request) -> str:
        return self._registry.state.settings.target(subject_of(request))

    def _visible(self, request: Request) -> list[Version]:
        subject = self._subject(request)
        versions = visible(request, self._registry.state.subjects.versions(subject))
        if not versions:
            raise RequestRefused(errors.SUBJECT_NOT_FOUND.refuse(subject=subject))
        return versions

    def _chosen(self, request: Request) -> Version:
        subject = self._subject(request)
        versions = visible(request, self._registry.state.subjects.versions(subject))
        return granted(chosen(subject, versions, request.path_params["version"]))
