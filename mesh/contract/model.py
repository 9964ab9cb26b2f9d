"""The data contract as the mesh uses it: what an ODCS document says about one output port.

Values only. The document itself is kept byte for byte beside them (`Contract.document`), so that
nothing the model does not know is ever lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.contract.yaml import Document
from mesh.errors import Finding, Location, Severity
from mesh.schema import AvroSchema
from mesh.versioning import Version

Status = str
_NOWHERE = Location("")
OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of the schema; nested ones carry their own."""

    name: str
    logical_type: str
    description: str
    required: bool = False
    primary_key: int | None = None  #: position in the key, from 1; None when not part of it
    unique: bool = False
    deprecated: bool = False
    semantic_type: str = ""  #: column, measure or dimension, as written
    classification: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    enum: tuple[Any, ...] = ()
    properties: tuple[Property, ...] = ()
    items: Property | None = None
    values: Property | None = None  #: of a map
    examples: tuple[Any, ...] = ()
    references: tuple[str, ...] = ()  #: where its relationships lead, as written
    tags: tuple[str, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    where: Location = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRule:
    """One ODCS quality rule.

    `property` is None for a rule on the whole schema object, else the dotted name of the property the rule
    stands on: `delay`, `address.street`, `tags[]`, `attributes{}` (mesh/contract/elements.py).
    """

    name: str
    kind: str  #: library, sql, custom or text
    property: str | None
    metric: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    operator: str = ""
    threshold: Any = None
    unit: str = "rows"
    severity: Severity = "error"
    dimension: str = ""
    description: str = ""
    engine: str = ""
    implementation: Any = None
    query: str = ""
    where: Location = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """One SLA property, as written."""

    property: str
    value: Any
    unit: str = ""
    element: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who answers for the contract."""

    username: str
    name: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """What the contract asks of its topic (docs/reference/custom-properties.md)."""

    partitions: int = 1
    cleanup_policy: str = "delete"
    retention_ms: int = -1  #: -1 keeps for ever
    min_insync_replicas: int | None = None  #: None leaves it to the cluster
    max_message_bytes: int | None = None  #: None leaves it to the cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One version of a data contract."""

    id: str
    name: str
    version: Version
    status: Status
    domain: str
    topic: str
    schema_name: str
    properties: tuple[Property, ...]
    quality: tuple[QualityRule, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
    settings: TopicSettings = TopicSettings()
    event_time: str | None = None
    compatibility: str = "BACKWARD"
    purpose: str = ""
    usage: str = ""
    limitations: str = ""
    team_name: str = ""
    team: tuple[Member, ...] = ()
    tags: tuple[str, ...] = ()
    support: tuple[Mapping[str, Any], ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)  #: customProperties of the schema object
    refined: AvroSchema | None = field(default=None, repr=False)  #: the `.avsc` beside it, when it agrees
    document: Document = field(repr=False)
    findings: tuple[Finding, ...] = field(default=(), repr=False, compare=False)  #: warnings of its reading

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key properties, in order."""
        keyed = [p for p in self.properties if p.primary_key is not None]
        return tuple(p.name for p in sorted(keyed, key=lambda p: p.primary_key or 0))

    @property
    def sha256(self) -> str:
        """The hash of the text as written and of its `.avsc`: what is reviewed is what is approved."""
        more = f"\0{self.refined.text}" if self.refined else ""
        return hashlib.sha256((self.document.text + more).encode()).hexdigest()

    def property(self, name: str) -> Property | None:
        """The top-level property of that name."""
        return next((p for p in self.properties if p.name == name), None)
