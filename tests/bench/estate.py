"""A large estate made up: domains with many products, each contract of the size that people write."""

from __future__ import annotations

from pathlib import Path

CONTRACTS = 1_000
PER_DOMAIN = 50

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: {topic}
name: Readings {number}
version: 1.0.0
status: active
domain: {domain}
description:
  purpose: What station {number} measures, one event per reading, as it comes in.
  usage: Join with stations by station_id; later readings replace earlier ones of the same minute.
  limitations: Sensors are serviced in March, and readings of that month may be missing.
team:
  name: Stations {domain}
  members: [{{username: someone@example.org, name: Some One, role: owner}}]
slaProperties:
  - {{property: latency, value: 5, unit: m, description: From the sensor to the topic.}}
  - {{property: retention, value: 400, unit: d, description: A year and a bit.}}
schema:
  - name: readings
    physicalName: {topic}
    physicalType: topic
    description: Readings of one station.
    customProperties:
      - {{property: partitions, value: 1}}
      - {{property: eventTime, value: measured_at}}
    quality:
      - {{name: some-events, metric: rowCount, mustBeGreaterThan: 0}}
    properties:
      - {{name: station_id, logicalType: string, primaryKey: true, required: true, description: Its id.}}
      - {{name: measured_at, logicalType: timestamp, required: true, description: When it was measured.}}
      - {{name: operator, logicalType: string, description: Who looks after it., classification: internal}}
{values}"""
VALUE = """\
      - name: value_{n}
        logicalType: number
        description: Measurement {n}, in its own unit.
        logicalTypeOptions: {{minimum: -1000, maximum: 1000}}
"""
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: {domain}.{product}
name: {product}
version: 1.0.0
status: active
domain: {domain}
description: {{purpose: Readings of one station.}}
team: {{name: Stations {domain}, members: [{{username: someone@example.org, role: owner}}]}}
outputPorts:
  - {{name: readings, version: 1.0.0, contractId: {topic}}}
"""


def write_estate(folder: Path, count: int = CONTRACTS) -> None:
    """`count` contracts and their products under `folder`, in domains of fifty."""
    for number in range(count):
        domain, product = f"area-{number // PER_DOMAIN:03}", f"station-{number % PER_DOMAIN:02}"
        topic = f"{domain}.{product}.v1"
        facts = {"domain": domain, "product": product, "topic": topic, "number": number}
        values = "".join(VALUE.format(n=n) for n in range(9))
        _write(
            folder / "contracts" / domain / f"{product}.v1.odcs.yaml", CONTRACT.format(values=values, **facts)
        )
        _write(folder / "domains" / domain / f"{product}.odps.yaml", PRODUCT.format(**facts))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
