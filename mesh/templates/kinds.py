"""The files of each kind of thing that a domain team begins with."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Any, Final

from mesh import naming
from mesh.contract.model import Contract
from mesh.errors import UsageError
from mesh.product import Product
from mesh.templates.model import NewFile, ProductName, domain_name, identifier
from mesh.templates.rendering import rendered

TYPES: Final = {"source": "sourceAligned", "aggregate": "aggregate", "consumer": "consumerAligned"}
_TAKEN: Final = 6  #: properties that a derived product begins with
_ORIGIN: Final = "derived_from"
_KEPT: Final = (
    "id",
    "name",
    "businessName",
    "logicalType",
    "logicalTypeOptions",
    "required",
    "primaryKey",
    "primaryKeyPosition",
    "classification",
    "description",
    "enum",
    "examples",
    "properties",
    "items",
    "map",
)
_OWN: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": "key",
        "name": "id",
        "logicalType": "string",
        "required": True,
        "primaryKey": True,
        "classification": "internal",
        "description": "Identifies what the event is about.",
        "examples": ["A-1", "B-27"],
    },
    {
        "name": "happened_at",
        "logicalType": "timestamp",
        "required": True,
        "classification": "internal",
        "description": "When it happened, in UTC.",
        "examples": ["2026-01-01T09:00:00Z"],
    },
    {
        "name": "amount",
        "logicalType": "number",
        "logicalTypeOptions": {"minimum": 0},
        "classification": "internal",
        "description": "How much, in euros; null when nobody knows yet.",
        "examples": [12.5, 99.9],
    },
)


def domain(name: str, owner: str) -> tuple[NewFile, ...]:
    """A domain without products; raises UsageError for a name that cannot be one."""
    return (*_packages(domain_name(name), owner), NewFile(f"contracts/{name}/.gitkeep", "", shared=True))


def product(
    name: ProductName, *, owner: str, kind: str, purpose: str, reads: Contract | None = None
) -> tuple[NewFile, ...]:
    """A product with contract, code and test; one that reads another begins with fields of that one."""
    taken = _taken(reads) if reads else []
    fields = [item["name"] for item in taken]
    facts: dict[str, Any] = {
        "product": name,
        "owner": owner,
        "purpose": purpose or _purpose(name, reads),
        "type": TYPES[kind],
        "reads": reads,
        "reads_product": naming.parse_topic(reads.topic).product_name if reads else "",
        "fields": fields,
    }
    if reads is None:
        properties: Sequence[dict[str, Any]] = _OWN
        event_time: str | None = "happened_at"
    else:
        properties = [*(_copied(item, reads, name) for item in taken), _derived_from(reads)]
        event_time = reads.event_time if reads.event_time in fields else None
    shape = "pipeline" if reads else "source"
    return (
        *_packages(name.domain, owner),
        NewFile(
            f"contracts/{name.domain}/{name.name}.v1.odcs.yaml",
            rendered("contract.odcs.yaml.jinja", properties=properties, event_time=event_time, **facts),
        ),
        NewFile(f"{name.folder}/{name.name}.odps.yaml", rendered("product.odps.yaml.jinja", **facts)),
        NewFile(f"{name.module.replace('.', '/')}.py", rendered(f"{shape}.py.jinja", **facts)),
        NewFile(_test_of(name), rendered(f"test_{shape}.py.jinja", **facts)),
    )


def consumer(name: ProductName, *, owner: str, purpose: str, reads: Contract) -> tuple[NewFile, ...]:
    """An application that subscribes to a product, with a test."""
    facts = {
        "product": name,
        "purpose": purpose or f"{name.title} of {name.domain}.",
        "reads_product": naming.parse_topic(reads.topic).product_name,
        "fields": [item["name"] for item in _taken(reads)],
    }
    return (
        *_packages(name.domain, owner),
        NewFile("contracts/.gitkeep", "", shared=True),
        NewFile(f"{name.module.replace('.', '/')}.py", rendered("consumer.py.jinja", **facts)),
        NewFile(_test_of(name), rendered("test_consumer.py.jinja", **facts)),
    )


def contract(topic: str, before: Contract, offered_by: Product) -> tuple[NewFile, NewFile]:
    """The next major version as a draft that begins as the one before, and the product that offers both."""
    wanted = naming.parse_topic(topic)
    text = before.document.text.replace(before.topic, topic)
    text = re.sub(r"(?m)^version: .*$", f"version: {wanted.major}.0.0", text, count=1)
    text = re.sub(r"(?m)^status: .*$", "status: draft", text, count=1)
    file = posixpath.join(
        posixpath.dirname(before.document.file), f"{topic.removeprefix(wanted.domain + '.')}.odcs.yaml"
    )
    return NewFile(file, text), NewFile(offered_by.document.file, _offering(offered_by, topic, wanted.major))


def _offering(offered_by: Product, topic: str, major: int) -> str:
    """The product's text with one more output port, after those that are there."""
    document = offered_by.document
    lines = document.text.splitlines(keepends=True)
    column = document.at("outputPorts", 0).column
    start = document.at("outputPorts").line
    after = sorted(
        place for path, (place, _) in document.positions.items() if len(path) == 1 and place > start
    )
    end = after[0] - 1 if after else len(lines)
    while end > start and not lines[end - 1].strip():
        end -= 1
    if not lines[document.at("outputPorts", 0).line - 1].lstrip().startswith("- "):
        raise _by_hand(offered_by, topic, major)
    pad = " " * (column - 3)
    name = topic.removeprefix(f"{offered_by.domain}.").replace(".", "-")
    port = [f"- name: {name}", "  type: kafka topic", f"  version: {major}.0.0", f"  contractId: {topic}"]
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return "".join([*lines[:end], *(f"{pad}{line}\n" for line in port), *lines[end:]])


def _by_hand(offered_by: Product, topic: str, major: int) -> UsageError:
    return UsageError(
        f"the output ports of {offered_by.full_name} are written in one line",
        code="MESH-U138",
        where=offered_by.document.at("outputPorts"),
        why="a port more would have to be written into it",
        fix=f"write the ports as a list, one a line, or add {{name: v{major}, contractId: {topic}}}",
    )


def _test_of(name: ProductName) -> str:
    return f"tests/test_{identifier(name.domain)}_{identifier(name.name)}.py"


def _packages(name: str, owner: str) -> tuple[NewFile, ...]:
    package = f"domains/{identifier(name)}/__init__.py"
    return (
        NewFile("conftest.py", rendered("conftest.py.jinja"), shared=True),
        NewFile("domains/__init__.py", rendered("domains.py.jinja"), shared=True),
        NewFile(package, rendered("domain.py.jinja", domain=name, owner=owner), shared=True),
    )


def _purpose(name: ProductName, reads: Contract | None) -> str:
    if reads is None:
        return f"One event for each change of the {name.name.replace('-', ' ')} of {name.domain}."
    return f"{name.title}, derived from the events of {reads.id}."


def _taken(reads: Contract) -> list[dict[str, Any]]:
    """The properties to begin with: the key, the time of the event, then the first ones."""
    schema = reads.document.data["schema"][0]
    items = [item for item in schema["properties"] if item["name"] != _ORIGIN]
    first = [item for item in items if item["name"] in (*reads.key, reads.event_time)]
    rest = [item for item in items if item not in first]
    chosen = [*first, *rest][: max(_TAKEN, len(first))]
    return [item for item in items if item in chosen]


def _copied(item: dict[str, Any], reads: Contract, name: ProductName) -> dict[str, Any]:
    made = {key: item[key] for key in _KEPT if item.get(key) is not None}
    made.setdefault("classification", "internal")
    made.setdefault("description", f"As in {reads.id}.")
    avro = [
        c for c in item.get("customProperties") or [] if c["property"] in ("precision", "scale", "avroType")
    ]
    if avro:
        made["customProperties"] = avro
    schema = reads.document.data["schema"][0]
    if item.get("primaryKey") and item.get("id") and schema.get("id"):
        file = posixpath.relpath(reads.document.file, f"contracts/{name.domain}")
        made["relationships"] = [{"to": f"{file}#/schema/{schema['id']}/properties/{item['id']}"}]
    return made


def _derived_from(reads: Contract) -> dict[str, Any]:
    return {
        "name": _ORIGIN,
        "logicalType": "string",
        "required": True,
        "classification": "internal",
        "description": "The contract of the events it was derived from.",
        "enum": [{"value": reads.id}],
    }
