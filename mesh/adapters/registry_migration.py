"""Steps of a migration carried out on a registry; the same steps may be carried out again."""

from __future__ import annotations

from collections.abc import Callable

from mesh.adapters.registry_answers import Requests, accept, escaped, understood
from mesh.errors import RegistryError
from mesh.migration import Migration, Step
from mesh.migration.steps import IMPORT


class RegistryWriter:
    """Writes one registry. Raises RegistryError with the step that it refuses, UnreachableError."""

    def __init__(self, http: Requests) -> None:
        self._http = http

    def carry_out(self, migration: Migration, told: Callable[[Step], None]) -> int:
        """All steps in their order, each told when it is done; answers how many there were.

        Raises RegistryError (MESH-R005) before the first when something stands against them.
        """
        if migration.conflicts:
            raise _conflicts(migration)
        for step in migration.steps:
            self._done(step)
            told(step)
        return len(migration.steps)

    def _done(self, step: Step) -> None:
        match step.kind:
            case "import":
                self._ask(step, "PUT", f"/mode/{escaped(step.scope)}?force=true", {"mode": IMPORT})
            case "register":
                self._registered(step)
            case "delete":
                self._deleted(step)
            case "config":
                self._ask(step, "PUT", f"/config{_below(step.scope)}", dict(step.settings.config or {}))
            case "mode" if step.settings.mode is None:
                self._ask(step, "DELETE", f"/mode{_below(step.scope)}", gone=True)
            case "mode":
                self._ask(step, "PUT", f"/mode{_below(step.scope)}?force=true", {"mode": step.settings.mode})

    def _registered(self, step: Step) -> None:
        assert step.version is not None
        answer = self._ask(step, "POST", f"/subjects/{escaped(step.scope)}/versions", step.version.body())
        with understood(self._http):
            given = int(answer["id"])  # type: ignore[index]
        if given != step.version.id:
            raise RegistryError(
                f"the registry gave id {given} to what has id {step.version.id}",
                code="MESH-R006",
                where=str(step),
                why="it takes no ids from elsewhere, so events could not be read there",
                fix="import into a registry whose modes have IMPORT, such as that of a mesh",
            )

    def _deleted(self, step: Step) -> None:
        assert step.version is not None
        path = f"/subjects/{escaped(step.scope)}/versions/{step.version.version}"
        self._ask(step, "DELETE", path, gone=True)

    def _ask(
        self, step: Step, method: str, path: str, body: object | None = None, *, gone: bool = False
    ) -> object:
        """The answer; `gone`: what is not there any more has been done before."""
        status, answer = self._http.request(method, path, body)
        if not (gone and status == 404):
            accept(status, answer, str(step))
        return answer


def _below(scope: str) -> str:
    return f"/{escaped(scope)}" if scope else ""


def _conflicts(migration: Migration) -> RegistryError:
    shown = [f"{one.where}: {one.why}" for one in migration.conflicts[:5]]
    more = len(migration.conflicts) - len(shown)
    return RegistryError(
        f"{len(migration.conflicts)} versions cannot be imported, so nothing was",
        code="MESH-R005",
        why="; ".join(shown) + (f"; and {more} more" if more else ""),
        fix="import into a registry that does not hold them, or delete them there for good",
    )
