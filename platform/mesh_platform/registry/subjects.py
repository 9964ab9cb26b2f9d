"""Subjects, versions and ids: what is stored, and how it is found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mesh_platform.registry.contexts import DEFAULT, context_of, seen_from
from mesh_platform.registry.errors import Refusal
from mesh_platform.registry.ids import Ids
from mesh_platform.registry.model import Content, Reference, Version

#: A version's place: its subject and number.
Place = tuple[str, int]


@dataclass
class Subjects:
    """The versions the log has led to so far, in every context."""

    _versions: dict[str, dict[int, Version]] = field(default_factory=dict)
    _ids: dict[str, Ids] = field(default_factory=dict)
    _referrers: dict[Place, set[Place]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every subject, soft-deleted ones too, in order."""
        return sorted(self._versions)

    def versions(self, subject: str) -> list[Version]:
        """All versions of a subject, oldest first, soft-deleted ones too."""
        found = self._versions.get(subject, {})
        return [found[number] for number in sorted(found)]

    def live(self, subject: str) -> list[Version]:
        """The versions of a subject that are not deleted, oldest first."""
        return [version for version in self.versions(subject) if not version.deleted]

    def version(self, subject: str, number: int) -> Version | None:
        """One version, soft-deleted or not."""
        return self._versions.get(subject, {}).get(number)

    def contexts(self) -> list[str]:
        """The default context and every other that has, or had, subjects and was not deleted."""
        return sorted({DEFAULT, *(name for name, ids in self._ids.items() if ids.listed)})

    def rooms(self) -> dict[str, Ids]:
        """The ids of every context that ever was."""
        return dict(self._ids)

    def room(self, context: str) -> Ids:
        """The ids of a context, to put some there."""
        return self._ids.setdefault(context, Ids())

    def ids(self, context: str) -> Ids:
        """The ids of a context: for reading."""
        return self._ids.get(context) or Ids()

    def content(self, schema_id: int, context: str = DEFAULT) -> Content | None:
        """What an id stands for, as long as any version, soft-deleted or not, uses it."""
        ids = self.ids(context)
        return ids.contents[schema_id] if ids.in_use(schema_id) else None

    def ids_of_guid(self, guid: bytes) -> list[tuple[str, int]]:
        """Context and id of every content in use that has a guid."""
        found = ((context, ids.of_guid(guid), ids) for context, ids in sorted(self._ids.items()))
        return [(context, one) for context, one, ids in found if one is not None and ids.in_use(one)]

    def guid_holder(self, guid: bytes) -> Content | None:
        """The content, in use or not, that has a guid."""
        for ids in self._ids.values():
            if (schema_id := ids.of_guid(guid)) is not None:
                return ids.contents[schema_id]
        return None

    def uses(self, schema_id: int, context: str = DEFAULT) -> list[Version]:
        """The versions that have an id, soft-deleted ones too."""
        return [self._at(place) for place in sorted(self.ids(context).uses.get(schema_id, ()))]

    def has_use(self, schema_id: int, subject: str) -> bool:
        """Whether a subject has a version, soft-deleted or not, with an id."""
        places = self.ids(context_of(subject)).uses.get(schema_id, ())
        return any(place[0] == subject for place in places)

    def referrers(self, version: Version) -> list[Version]:
        """The versions that refer to one, soft-deleted ones too."""
        return [
            self._at(place) for place in sorted(self._referrers.get((version.subject, version.version), ()))
        ]

    def referred(self, subject: str, reference: Reference) -> Version | None:
        """The version, soft-deleted or not, that a schema of `subject` refers to; -1: the latest."""
        name = seen_from(context_of(subject), reference.subject)
        if isinstance(name, Refusal):
            return None
        if reference.version == -1:
            live = self.live(name)
            return live[-1] if live else None
        return self.version(name, reference.version)

    def add(
        self, subject: str, content: Content, time: str, schema_id: int | None, number: int | None
    ) -> Version:
        """Store a content as the next version; soft-deleted versions of the same content go for good."""
        ids = self.room(context_of(subject))
        new_id = ids.give(content, schema_id)
        ids.listed = True
        numbers = self._versions.get(subject, {})
        upcoming = number or max(numbers, default=0) + 1
        for old in [old for old in numbers.values() if old.deleted and old.id == new_id]:
            self.remove(old)
        version = Version(subject, upcoming, new_id, ids.contents[new_id], time)
        self.put(subject, [version])
        return version

    def put(self, subject: str, versions: Iterable[Version]) -> None:
        """Store versions of one subject as they are; their ids have their contents already."""
        numbers = self._versions.setdefault(subject, {})
        uses = self.room(context_of(subject)).uses
        for version in versions:
            numbers[version.version] = version
            place = (subject, version.version)
            uses.setdefault(version.id, set()).add(place)
            if version.content.references:
                for referred in self._referred_places(version):
                    self._referrers.setdefault(referred, set()).add(place)

    def stored(self) -> list[Version]:
        """Every version of every subject as of now, those of one subject together."""
        return [version for numbers in self._versions.values() for version in numbers.values()]

    def hide(self, version: Version) -> None:
        """Delete softly: out of the subject's sight, still readable by id."""
        self._versions[version.subject][version.version] = replace(version, deleted=True)

    def remove(self, version: Version) -> None:
        """Delete for good."""
        numbers, place = self._versions[version.subject], (version.subject, version.version)
        del numbers[version.version]
        self._ids[context_of(version.subject)].uses[version.id].discard(place)
        for referred in self._referred_places(version):
            self._referrers.get(referred, set()).discard(place)
        if not numbers:
            del self._versions[version.subject]

    def unlist(self, context: str) -> None:
        """Take an empty context out of the list; its ids stay taken."""
        if context in self._ids:
            self._ids[context].listed = False

    def _at(self, place: Place) -> Version:
        return self._versions[place[0]][place[1]]

    def _referred_places(self, version: Version) -> Iterator[Place]:
        for reference in version.content.references:
            name = seen_from(context_of(version.subject), reference.subject)
            if not isinstance(name, Refusal):
                yield name, reference.version
