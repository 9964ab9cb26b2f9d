"""The ids of one context: each belongs to one content for ever."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesh_platform.registry.model import Content


@dataclass
class Ids:
    """Contents by id, identity and guid, and the versions that use them.

    An id is not given to another content even when every version of it is deleted for good, and the
    same content gets it back.
    """

    contents: dict[int, Content] = field(default_factory=dict)
    uses: dict[int, set[tuple[str, int]]] = field(default_factory=dict)
    last: int = 0
    #: Whether the context is listed: it is from its first subject on until it is deleted.
    listed: bool = False
    _by_identity: dict[bytes, int] = field(default_factory=dict)
    _by_guid: dict[bytes, int] = field(default_factory=dict)

    def of(self, content: Content) -> int | None:
        """The id of a content that has one."""
        return self._by_identity.get(content.identity)

    def of_guid(self, guid: bytes) -> int | None:
        """The id of the content with this guid, in use or not."""
        return self._by_guid.get(guid)

    def give(self, content: Content, schema_id: int | None = None) -> int:
        """The content's id from now on: `schema_id`, else the one it has, else the next."""
        identity = content.identity
        given = schema_id if schema_id is not None else self._by_identity.get(identity, self.last + 1)
        if given not in self.contents:
            self.put(given, content, identity, content.guid_key)
        self.last = max(self.last, given)
        return given

    def put(self, schema_id: int, content: Content, identity: bytes, guid: bytes) -> None:
        """Give an id to a content whose names are known."""
        self.contents[schema_id] = content
        self._by_identity.setdefault(identity, schema_id)
        self._by_guid.setdefault(guid, schema_id)

    def in_use(self, schema_id: int) -> bool:
        """Whether any version, soft-deleted or not, has this id."""
        return bool(self.uses.get(schema_id))
