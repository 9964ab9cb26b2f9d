"""Subjects, versions and ids: what is stored, and how it is found again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mesh_platform.registry.model import Content, Version


@dataclass
class Subjects:
    """The versions the log has led to so far.

    An id belongs to one content for ever: it is not given to another even when every version of it
    is deleted for good, and the same content gets it back.
    """

    _versions: dict[str, dict[int, Version]] = field(default_factory=dict)
    _contents: dict[int, Content] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _uses: dict[int, set[tuple[str, int]]] = field(default_factory=dict)
    _guids: dict[str, int] = field(default_factory=dict)
    _last_id: int = 0

    @property
    def last_id(self) -> int:
        """The highest id ever given."""
        return self._last_id

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

    def content(self, schema_id: int) -> Content | None:
        """What an id stands for, as long as any version, soft-deleted or not, uses it."""
        return self._contents.get(schema_id) if self._uses.get(schema_id) else None

    def id_of_guid(self, guid: str) -> int | None:
        """The id of a content in use."""
        schema_id = self._guids.get(guid)
        return schema_id if schema_id is not None and self._uses.get(schema_id) else None

    def uses(self, schema_id: int) -> list[Version]:
        """The versions that have an id, soft-deleted ones too."""
        return [self._versions[subject][number] for subject, number in sorted(self._uses.get(schema_id, ()))]

    def id_of(self, content: Content) -> int | None:
        """The id of a content that has one."""
        return self._ids.get(content.identity)

    def holds(self, schema_id: int) -> Content | None:
        """The content an id was ever given to."""
        return self._contents.get(schema_id)

    def add(
        self, subject: str, content: Content, time: str, schema_id: int | None, number: int | None
    ) -> Version:
        """Store a content as the next version; soft-deleted versions of the same content go for good."""
        known = self._ids.get(content.identity) if schema_id is None else schema_id
        new_id = known if known is not None else self._last_id + 1
        numbers = self._versions.setdefault(subject, {})
        version = Version(subject, number or max(numbers, default=0) + 1, new_id, content, time)
        for old in [old for old in numbers.values() if old.deleted and old.id == new_id]:
            self.remove(old)
        if new_id not in self._contents:
            self._contents[new_id] = content
            self._ids.setdefault(content.identity, new_id)
            self._guids.setdefault(content.guid, new_id)
        self._last_id = max(self._last_id, new_id)
        self._versions.setdefault(subject, numbers)[version.version] = version
        self._uses.setdefault(new_id, set()).add((subject, version.version))
        return version

    def hide(self, version: Version) -> None:
        """Delete softly: out of the subject's sight, still readable by id."""
        self._versions[version.subject][version.version] = replace(version, deleted=True)

    def remove(self, version: Version) -> None:
        """Delete for good."""
        numbers = self._versions[version.subject]
        del numbers[version.version]
        self._uses[version.id].discard((version.subject, version.version))
        if not numbers:
            del self._versions[version.subject]
