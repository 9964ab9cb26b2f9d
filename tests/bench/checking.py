"""`mesh check` over generated contracts, as a whole process: what people and pull requests wait for."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measuring import Figure, duration

MANY = 1_000
_TYPES = ("string", "integer", "number", "boolean", "timestamp", "date")
_REQUIRED_OF_ALL = 3


def generate(root: Path, count: int) -> None:
    """A mesh of `count` products, each with a contract of twelve properties, in domains of twenty."""
    for number in range(count):
        domain, name = f"domain-{number // 20}", f"product-{number}"
        for folder, suffix, text in (
            ("contracts", "v1.odcs", _contract(domain, name)),
            ("domains", "odps", _product(domain, name)),
        ):
            file = root / folder / domain / f"{name}.{suffix}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def checking() -> list[Figure]:
    """A thousand contracts with their products; one alone is measured on the example mesh."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), MANY)
        return [duration("check", f"{MANY:,} contracts", lambda: _check(Path(folder)), "≤ 5 s", 3)]


def _check(root: Path) -> None:
    command = [sys.executable, "-m", "mesh.cli", "check", "--output-format", "concise"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if f"{MANY} contracts, {MANY} products" not in ended.stdout:
        raise RuntimeError(ended.stdout + ended.stderr)


def _contract(domain: str, name: str) -> str:
    properties = "".join(
        f"      - name: field_{index}\n"
        f"        logicalType: {_TYPES[index % len(_TYPES)]}\n"
        f"        required: {'true' if index < _REQUIRED_OF_ALL else 'false'}\n"
        + ("        primaryKey: true\n" if index == 0 else "")
        + "        classification: internal\n"
        f"        description: What field {index} of {name} means to those who read it.\n"
        for index in range(12)
    )
    return f"""\
apiVersion: v3.2.0
kind: DataContract
id: {domain}.{name}.v1
name: Events of {name}
version: 1.0.0
status: active
domain: {domain}
description: {{purpose: Generated for measuring., usage: Measure., limitations: It means nothing.}}
team: {{name: Team of {domain}, members: [{{username: owner@example.org, role: owner}}]}}
support: [{{channel: questions, url: 'mailto:questions@example.org', tool: email}}]
slaProperties:
  - {{property: retention, value: 400, unit: d}}
  - {{property: latency, value: 5, unit: m}}
schema:
  - name: {name}
    physicalType: topic
    physicalName: {domain}.{name}.v1
    description: Generated events.
    properties:
{properties}"""


def _product(domain: str, name: str) -> str:
    return f"""\
apiVersion: v1.1.0
kind: DataProduct
id: {domain}.{name}
name: {name}
version: 1.0.0
status: active
domain: {domain}
description: {{purpose: Generated for measuring.}}
team: {{name: Team of {domain}, members: [{{username: owner@example.org, role: owner}}]}}
support: [{{channel: questions, url: 'mailto:questions@example.org', tool: email}}]
outputPorts:
  - {{name: {name}, version: 1.0.0, contractId: {domain}.{name}.v1}}
"""
