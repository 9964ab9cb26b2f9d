"""A change as a value: what differs, which version that needs, and whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mesh.change.bump import Bump, needed
from mesh.contract.fields import FieldChange, Kind
from mesh.versioning import Version

Party = Literal["reader", "publisher"]
READER: tuple[Party, ...] = ("reader",)
PUBLISHER: tuple[Party, ...] = ("publisher",)
BOTH: tuple[Party, ...] = ("reader", "publisher")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one difference needs a version; `subject` is that of the change, `aspect` the part of it."""

    level: Bump
    subject: str
    aspect: str
    before: str
    after: str
    concerns: tuple[Party, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference with its reasons; `before` and `after` are words for people."""

    kind: Kind
    subject: str
    before: str
    after: str
    field: str = ""  #: the top-level property whose events look different
    reasons: tuple[Reason, ...] = ()

    @property
    def level(self) -> Bump:
        """The highest level among the reasons."""
        return max((reason.level for reason in self.reasons), default=Bump.NONE)

    def as_data(self) -> dict[str, Any]:
        """For machines and records; `from_data` reads it back."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
            "field": self.field,
            "level": str(self.level),
            "reasons": [
                {
                    "level": str(reason.level),
                    "aspect": reason.aspect,
                    "before": reason.before,
                    "after": reason.after,
                    "concerns": list(reason.concerns),
                    "sentence": reason.sentence,
                }
                for reason in self.reasons
            ],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Change:
        """A change out of a record; an older record has no reasons."""
        return cls(
            kind=data["kind"],
            subject=data["subject"],
            before=data["before"],
            after=data["after"],
            field=data.get("field", ""),
            reasons=tuple(
                Reason(
                    level=Bump[reason["level"].upper()],
                    subject=data["subject"],
                    aspect=reason["aspect"],
                    before=reason["before"],
                    after=reason["after"],
                    concerns=tuple(reason["concerns"]),
                    sentence=reason["sentence"],
                )
                for reason in data.get("reasons", ())
            ),
        )

    @classmethod
    def of(cls, row: FieldChange, reasons: tuple[Reason, ...]) -> Change:
        """A difference of two contracts with its reasons."""
        return cls(row.kind, row.subject, row.before, row.after, row.field, reasons)


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two texts of one contract or product, the gravest first.

    `before` is None for what is new, `after` for what is gone.
    """

    kind: Literal["contract", "product"]
    name: str
    before: Version | None
    after: Version | None
    changes: tuple[Change, ...]
    level: Bump
    file: str = ""

    @property
    def needed(self) -> Version | None:
        """The lowest version that the changed text may carry."""
        return needed(self.before, self.level) if self.before and self.after else None

    @property
    def enough(self) -> bool:
        """Whether the version has risen far enough."""
        if self.before is None or self.after is None or self.needed is None:
            return True
        return self.after >= self.needed

    def as_data(self) -> dict[str, Any]:
        """For machines."""
        return {
            "kind": self.kind,
            "name": self.name,
            "file": self.file,
            "before": str(self.before) if self.before else None,
            "after": str(self.after) if self.after else None,
            "level": str(self.level),
            "needed": str(self.needed) if self.needed else None,
            "enough": self.enough,
            "changes": [change.as_data() for change in self.changes],
        }
