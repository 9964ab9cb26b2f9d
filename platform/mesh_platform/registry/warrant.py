"""What a writer was allowed when its record was made; it travels in the record: a replay decides the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mesh_platform.registry.model import Answer
from mesh_platform.rights import EVERY_RIGHT, Right, Rights

KEY: Final = "warrant"


@dataclass(frozen=True, slots=True)
class Warrant:
    """The rights of who wrote, and whether subjects that no contract owns took any schema that day."""

    rights: Rights
    open: bool

    @property
    def importing(self) -> Warrant:
        """As it counts in import mode: administrators bring in what no contract owns yet."""
        return Warrant(self.rights, self.open or Right.ADMIN in self.rights)

    def as_data(self) -> dict[str, Answer]:
        """As it stands in a record."""
        return {"rights": list[Answer](sorted(self.rights)), "unowned": "open" if self.open else "closed"}


#: Records of releases that knew one token: it had every right.
UNLIMITED: Final = Warrant(EVERY_RIGHT, open=True)


def warrant_of(body: Mapping[str, object]) -> Warrant:
    """The warrant in a record's body; what cannot be read in it is not granted."""
    if KEY not in body:
        return UNLIMITED
    written = body[KEY]
    if not isinstance(written, Mapping):
        return Warrant(frozenset(), open=False)
    names = written.get("rights")
    rights = frozenset(right for right in Right if isinstance(names, list) and right.value in names)
    return Warrant(rights, open=written.get("unowned") == "open")
