"""A whole registry read over HTTP, whoever serves it: by its listings, or one by one where it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mesh.adapters.registry_answers import NOT_SERVED, Requests, accept, escaped, understood
from mesh.adapters.registry_listing import listed_versions
from mesh.migration.model import NO_SETTINGS, WHOLE, RegistryCopy, SchemaVersion, ScopeSettings, version_of

AT_ONCE = 8
#: Every context; registries without contexts do not mind it.
_EVERYWHERE = "&subjectPrefix=%3A%2A%3A"
_SPELLED_BEFORE = "compatibilityLevel"


class RegistryReader:
    """Reads one registry. Raises UnreachableError and RegistryError as it answers."""

    def __init__(self, http: Requests) -> None:
        self._http = http
        #: Deleted versions that the registry lists and does not show, as some do.
        self.unread: list[str] = []

    def copy(self) -> RegistryCopy:
        """Everything it holds: versions, deleted ones too, and the settings of all that has some."""
        listed = self._listed()
        subjects = self.subjects() if listed is None else sorted({version.subject for version in listed})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            if listed is None:
                listed = [version for found in pool.map(self._versions, subjects) for version in found]
            whole = self._own_settings(WHOLE)
            scopes = [*self._contexts(), *subjects]
            found = zip(scopes, pool.map(self._own_settings, scopes), strict=True)
            # Some registries answer with the mode of the whole for a subject that has none.
            own = {scope: _without_mode_of(whole, settings) for scope, settings in found}
        settings = {scope: one for scope, one in {WHOLE: whole, **own}.items() if one != NO_SETTINGS}
        return RegistryCopy(tuple(sorted(listed, key=lambda one: one.place)), settings)

    def subjects(self, *, deleted: bool = True) -> list[str]:
        """The names of all subjects, of those that are deleted too."""
        query = "?deleted=true" if deleted else "?deleted=false"
        return sorted(self._list(f"/subjects{query}{_EVERYWHERE}"))

    def versions(self, subject: str) -> list[SchemaVersion]:
        """All versions of one subject, deleted ones too; raises RegistryError when there is none."""
        found = self._versions(subject)
        if not found:
            status, answer = self._http.request("GET", f"/subjects/{escaped(subject)}/versions")
            accept(status, answer, subject)
        return found

    def settings(self, scope: str) -> ScopeSettings:
        """What a subject, a context or the registry was set to itself."""
        return self._own_settings(scope)

    def _listed(self) -> list[SchemaVersion] | None:
        every = listed_versions(self._http, f"&deleted=true&aliases=false{_EVERYWHERE}")
        if every is None:
            return None
        live = listed_versions(self._http, f"&deleted=false&aliases=false{_EVERYWHERE}") or []
        alive = {(row.subject, row.version) for row in live}
        with understood(self._http):
            return [version_of(row.body, deleted=(row.subject, row.version) not in alive) for row in every]

    def _versions(self, subject: str) -> list[SchemaVersion]:
        path = f"/subjects/{escaped(subject)}/versions"
        alive = set(self._list(path))
        found = []
        for number in self._list(f"{path}?deleted=true"):
            status, answer = self._http.request("GET", f"{path}/{number}?deleted=true")
            if status == 404 and number not in alive:
                self.unread.append(f"{subject} version {number}")
                continue
            accept(status, answer, subject)
            with understood(self._http):
                found.append(version_of(answer, subject=subject, deleted=number not in alive))
        return found

    def _list(self, path: str) -> list[Any]:
        status, answer = self._http.request("GET", path)
        if status == 404:
            return []
        accept(status, answer, path)
        with understood(self._http):
            return [*answer]

    def _contexts(self) -> Iterable[str]:
        """The scopes of all contexts but the default one, whose settings are those of the whole."""
        names = (str(name).strip(":") for name in self._list("/contexts"))
        return [f":{name}:" for name in names if name != "."]

    def _own_settings(self, scope: str) -> ScopeSettings:
        below = f"/{escaped(scope)}" if scope else ""
        config, mode = self._own(f"/config{below}"), self._own(f"/mode{below}")
        with understood(self._http):
            settled = None if config is None else _as_set(config)
            return ScopeSettings(settled, None if mode is None else str(mode["mode"]))

    def _own(self, path: str) -> Mapping[str, Any] | None:
        status, answer = self._http.request("GET", path)
        if status in NOT_SERVED:
            return None
        accept(status, answer, path)
        found: Mapping[str, Any] = answer
        return found


def _as_set(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings as they are set: the level has another name when it is read."""
    level = config.get(_SPELLED_BEFORE)
    rest = {name: value for name, value in config.items() if name != _SPELLED_BEFORE and value is not None}
    return {"compatibility": level, **rest} if level is not None else rest


def _without_mode_of(whole: ScopeSettings, settings: ScopeSettings) -> ScopeSettings:
    return ScopeSettings(settings.config, None if settings.mode == whole.mode else settings.mode)
