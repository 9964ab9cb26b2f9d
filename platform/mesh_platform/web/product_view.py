"""What the page of one data product shows (conventions as in `views.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mesh_platform.web.lineage import NOTHING, Lineage
from mesh_platform.web.views import Outcome, ProductCard, ReviewCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where clients connect."""

    bootstrap: str  #: host:port[,host:port]
    registry: str  #: URL of the schema registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyRow:
    """One property of a contract; nested ones are named by their path (`legs[].origin`)."""

    name: str
    type: str
    required: bool = False
    key: bool = False
    classification: str = ""
    description: str = ""  #: Markdown
    rules: tuple[str, ...] = ()  #: in words, such as "at least 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The data contract behind the product's output port."""

    id: str
    version: str
    properties: tuple[PropertyRow, ...]
    file_url: str = ""  #: path of the ODCS document as written


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFacts:
    """The Avro schema that is on the wire."""

    subject: str
    id: int
    version: int
    compatibility: str
    avro: str  #: JSON text as registered
    registered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The latest run of one quality rule, with its history."""

    name: str
    rule: str  #: in words
    outcome: Outcome
    checked: int | None = None  #: events looked at
    failed: int | None = None  #: events that broke the rule
    window_from: datetime | None = None
    window_to: datetime | None = None
    ran_at: datetime | None = None
    detail: str = ""
    #: share of good events per run, 0 to 1, oldest first; None where the run gave no verdict
    history: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One shown value of an event; `masked` marks text that stands in for a protected value."""

    text: str
    masked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One decoded event; cells follow the table's columns."""

    partition: int
    offset: int
    at: datetime | None
    key: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """The latest events, newest first."""

    columns: tuple[str, ...] = ()
    rows: tuple[EventRow, ...] = ()


NO_EVENTS = EventTable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One SLA property: what was promised and what is measured."""

    name: str
    target: str
    measured: str | None = None
    outcome: Outcome = "unknown"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of the team that owns the product."""

    name: str
    role: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where to ask for help."""

    name: str
    tool: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """An application that reads the product."""

    name: str
    purpose: str = ""
    fields: tuple[str, ...] = ()  #: empty: all
    lag: int | None = None  #: events behind


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVersion:
    """One step in the product's life."""

    version: str
    at: datetime
    by: str
    summary: str
    url: str = ""  #: the review that allowed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A value with the place it was read from and when it was last seen there."""

    label: str
    value: str | None
    source: str
    seen: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """Everything about one data product."""

    card: ProductCard
    topic: str
    connection: Connection
    contract: Contract
    description: str = ""  #: Markdown
    schema: SchemaFacts | None = None
    checks: tuple[Check, ...] = ()
    lineage: Lineage = NOTHING
    consumers: tuple[Consumer, ...] = ()
    events: EventTable = NO_EVENTS
    promises: tuple[Promise, ...] = ()
    team: tuple[Person, ...] = ()
    support: tuple[Channel, ...] = ()
    versions: tuple[ProductVersion, ...] = ()
    reviews: tuple[ReviewCard, ...] = ()  #: open ones
    facts: tuple[Fact, ...] = ()  #: partitions, retention, events retained, bytes, …
