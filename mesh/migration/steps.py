"""What brings a registry to hold what another holds: steps in an order that works, safe to begin again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from mesh.migration.model import NO_SETTINGS, RegistryCopy, SchemaVersion, ScopeSettings, is_wide
from mesh.migration.spelling import Spelling

IMPORT = "IMPORT"


@dataclass(frozen=True, slots=True)
class Step:
    """One request to the target. `config`: its settings; `mode`: what to set, None to take it back."""

    kind: Literal["import", "register", "delete", "config", "mode"]
    scope: str
    version: SchemaVersion | None = None
    settings: ScopeSettings = NO_SETTINGS

    def __str__(self) -> str:
        where = self.scope or "the registry"
        if self.version is not None:
            return f"{self.kind} {where} version {self.version.version} (id {self.version.id})"
        return {
            "import": f"open {where} for ids from elsewhere",
            "config": f"configure {where}",
            "mode": f"set {where} to {self.settings.mode}" if self.settings.mode else f"close {where} again",
        }.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the target holds that the source contradicts; nothing is done while there is one."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Migration:
    """The steps, and what stands against them."""

    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...] = ()


def migration(source: RegistryCopy, target: RegistryCopy) -> Migration:
    """What is missing in `target` of `source`. Nothing of the target is changed or taken away."""
    held = {version.place: version for version in target.versions}
    missing = [version for version in in_order(source.versions) if version.place not in held]
    conflicts = tuple(_conflicts(source, target))
    opened = sorted({version.subject for version in missing})
    deleted = [
        version
        for version in reversed(in_order(source.versions))
        if version.deleted and not (version.place in held and held[version.place].deleted)
    ]
    return Migration(
        (
            *(Step("import", subject) for subject in opened),
            *(Step("register", version.subject, version) for version in missing),
            *(Step("delete", version.subject, version) for version in deleted),
            *_settings(source, target, frozenset(opened)),
        ),
        conflicts,
    )


def in_order(versions: Iterable[SchemaVersion]) -> list[SchemaVersion]:
    """Versions so that each comes after those it refers to, and after the earlier ones of its subject."""
    every = {version.place: version for version in sorted(versions, key=lambda one: (one.id, one.place))}
    numbers: dict[str, list[int]] = {}
    for subject, number in sorted(every):
        numbers.setdefault(subject, []).append(number)
    before = {
        (subject, number): (subject, earlier)
        for subject, held in numbers.items()
        for earlier, number in pairwise(held)
    }
    needs = {
        place: [one for one in (before.get(place), *version.refers_to) if one in every]
        for place, version in every.items()
    }
    found: dict[tuple[str, int], SchemaVersion] = {}
    begun: set[tuple[str, int]] = set()
    for place in every:
        # A stack of its own: references may be thousands deep. A circle is cut where it closes.
        waiting = [place]
        while waiting:
            here = waiting[-1]
            first = [] if here in begun else [one for one in needs[here] if one not in begun]
            begun.add(here)
            if first:
                waiting += first
            else:
                found.setdefault(waiting.pop(), every[here])
    return list(found.values())


def _settings(source: RegistryCopy, target: RegistryCopy, opened: frozenset[str]) -> Iterator[Step]:
    """Settings last: a default rule set or a mode must not get at what is registered before."""
    # What an earlier migration opened, and did not come to close.
    left = {one for one in source.subjects if target.settings.get(one, NO_SETTINGS).mode == IMPORT}
    scopes = sorted({*source.settings, *opened, *left}, key=lambda scope: (is_wide(scope), scope))
    for scope in scopes:
        wanted, there = source.settings.get(scope, NO_SETTINGS), target.settings.get(scope, NO_SETTINGS)
        if wanted.config is not None and wanted.config != there.config:
            yield Step("config", scope, settings=wanted)
        mode = IMPORT if scope in opened or scope in left else there.mode
        if wanted.mode != mode and (wanted.mode is not None or mode == IMPORT):
            yield Step("mode", scope, settings=wanted)


def _conflicts(source: RegistryCopy, target: RegistryCopy) -> Iterator[Conflict]:
    theirs, ours = Spelling(source), Spelling(target)
    held = {version.place: version for version in target.versions}
    by_id = {(version.context, version.id): version for version in target.versions}
    for version in source.versions:
        there = held.get(version.place)
        same_id = by_id.get((version.context, version.id))
        where = f"{version.subject} version {version.version}"
        if there is not None and there.id != version.id:
            yield Conflict(where, f"it has id {there.id} there, and {version.id} here")
        elif there is not None and there.deleted and not version.deleted:
            yield Conflict(where, "it was deleted there")
        elif same_id is not None and ours.of(same_id) != theirs.of(version):
            yield Conflict(where, f"id {version.id} is another schema there, of {same_id.subject}")
