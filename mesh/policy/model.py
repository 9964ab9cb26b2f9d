"""A policy as a value: whom it concerns, what it requires, how severe it is, since when, for whom not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol

from mesh.contract.yaml import Path
from mesh.errors import Location, Severity
from mesh.policy.subject import Kind, Subject

Expected = Literal["passes", "fails", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What a policy has against a subject, and at which node of its document."""

    message: str
    path: Path = ()
    fix: str = ""


class Undecided(Exception):
    """A policy cannot tell; the text says why."""


class Rule(Protocol):
    """How a policy finds violations: conditions, a Rego module, a Python function."""

    @property
    def text(self) -> str:
        """What it is made of, as far as the policy's own file does not say it."""

    def violations(self, subject: Subject, today: date, /) -> Iterable[Violation]:
        """All there are, none when the subject complies; raises Undecided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a policy concerns: every key that is given must fit; names are patterns such as `weather.*`."""

    domains: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def holds(self, subject: Subject) -> bool:
        """Whether the subject is in it."""
        return (
            (not self.domains or _fits(self.domains, (subject.domain,)))
            and (not self.statuses or subject.status in self.statuses)
            and (not self.products or _fits(self.products, subject.products))
            and (not self.types or any(kind in self.types for kind in subject.types))
            and (not self.tags or _fits(self.tags, subject.tags))
        )


def _fits(patterns: Iterable[str], names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Whom a policy spares, why, and until which day (that day included)."""

    subject: str
    reason: str
    expires: date

    def covers(self, name: str) -> bool:
        """Whether a subject of that name is meant."""
        return fnmatchcase(name, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A test of a policy, from its own file: a part of a document, and what the policy says to it."""

    name: str
    given: Mapping[str, Any]
    expect: Expected
    kind: Kind
    today: date | None = None
    previous: Mapping[str, Any] | None = None
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy."""

    name: str
    title: str
    description: str
    severity: Severity
    applies_to: tuple[Kind, ...]
    rule: Rule
    scope: Scope = Scope()
    enabled: bool = True
    fix: str = ""
    links: tuple[str, ...] = ()
    grace: date | None = None  #: until the day before it, an error is a warning
    exemptions: tuple[Exemption, ...] = ()
    cases: tuple[Case, ...] = ()
    where: Location  #: where it is declared
    text: str  #: what its hash is made of

    def severity_on(self, today: date) -> Severity:
        """Its severity, a warning as long as an error is in grace."""
        return "warning" if self.in_grace(today) else self.severity

    def in_grace(self, today: date) -> bool:
        """Whether it would be an error but for its grace."""
        return self.severity == "error" and self.grace is not None and today < self.grace

    def exemption_of(self, name: str) -> Exemption | None:
        """What spares a subject of that name longest, expired or not."""
        return max((e for e in self.exemptions if e.covers(name)), key=lambda e: e.expires, default=None)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies that are in force in a mesh, by name; switched off ones are listed and do nothing."""

    policies: tuple[Policy, ...]

    def of(self, kind: Kind) -> tuple[Policy, ...]:
        """The enabled ones for one kind of subject."""
        return tuple(p for p in self.policies if p.enabled and kind in p.applies_to)

    @property
    def sha256(self) -> str:
        """The hash of all texts: evidence of which policies decided."""
        digest = hashlib.sha256()
        for policy in sorted(self.policies, key=lambda policy: policy.name):
            digest.update(f"{policy.name}\0{policy.enabled}\0{policy.text}\0".encode())
        return digest.hexdigest()
