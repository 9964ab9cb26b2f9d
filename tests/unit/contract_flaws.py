"""A contract that uses much of the standard, and what is wrong with it once one part is replaced."""

from __future__ import annotations

TEXT = """\
apiVersion: v3.2.0
kind: DataContract
id: ops.flights.v1
version: 1.0.0
status: active
domain: ops
contractCreatedTs: '2026-01-31T10:00:00Z'
team:
  members:
    - {id: ada, username: ada, dateIn: '2026-01-01'}
    - {id: bob, username: bob}
slaProperties:
  - {property: latency, value: 5, unit: m, element: flights.delay, driver: operational}
  - {property: RE, value: 3, unit: years}
schema:
  - id: flights
    name: flights
    physicalType: topic
    physicalName: ops.flights.v1
    customProperties:
      - {property: partitions, value: 3}
    relationships:
      - {from: [flights.delay, flights.place.city], to: [flights.carrier, flights.delay]}
    quality:
      - {metric: rowCount, mustBeGreaterThan: 0, severity: error}
      - {metric: duplicateValues, arguments: {properties: [carrier, delay]}, mustBe: 0}
      - {type: sql, query: "select count(*) from {object} where a > ${AFTER:-0}", mustBe: 0}
    properties:
      - id: carrier
        name: carrier
        logicalType: string
        logicalTypeOptions: {minLength: 2, maxLength: 2}
        classification: public
        primaryKey: true
        primaryKeyPosition: 1
        examples: [UA]
        quality:
          - {metric: invalidValues, arguments: {validValues: [UA]}, unit: percent, mustBeLessThan: 5}
      - id: delay
        name: delay
        logicalType: integer
        logicalTypeOptions: {minimum: -60, maximum: 600}
        relationships:
          - {to: schema/flights/properties/place/properties/city}
        quality:
          - {metric: nullValues, unit: percent, mustBeBetween: [0, 5]}
      - id: place
        name: place
        logicalType: object
        properties:
          - {id: city, name: city, logicalType: string, enum: [{value: a}, {value: b}]}
"""

#: old text, new text, code and severity, where (words that stand there), a part of the message
CASES = [
    (
        "to: [flights.carrier,",
        "to: [flights.carier,",
        "MESH-C080 error",
        "flights.carier",
        "did you mean 'flights.carrier'?",
    ),
    (
        "to: [flights.carrier, flights.delay]",
        "to: [flights.carrier]",
        "MESH-C082 error",
        "to: [",
        "to names 1",
    ),
    (
        "[flights.delay, flights.place",
        "[flights.place.delay, flights.place",
        "MESH-C080 error",
        "flights.place.delay",
        "place.delay",
    ),
    ("place/properties/city", "place/properties/town", "MESH-C080 error", "to: schema", "properties/city'?"),
    (
        "schema/flights/properties/place/properties/city",
        "flights.place.town",
        "MESH-C080 error",
        "to: flights",
        "'flights.place.town'",
    ),
    ("id: bob", "id: ada", "MESH-C083 error", "id: ada, username: bob", "'ada' stands twice in members"),
    (
        "id: delay",
        "id: carrier",
        "MESH-C083 error",
        "id: carrier\n        name: delay",
        "'carrier' stands twice in properties",
    ),
    ("latency", "latencie", "MESH-C084 warning", "property: latencie", "did you mean 'latency'?"),
    (
        "element: flights.delay",
        "element: 'flights.delay, flights.dely'",
        "MESH-C085 error",
        "element",
        "flights.delay",
    ),
    ("element: flights.delay", "element: delay", "MESH-C085 error", "element", "'delay'"),
    ("unit: m,", "unit: parsec,", "MESH-C086 error", "value: 5", "latency cannot be '5' parsec"),
    (
        "value: 3, unit: years",
        "value: three, unit: years",
        "MESH-C086 error",
        "value: three",
        "retention cannot be",
    ),
    (
        "driver: operational",
        "driver: operations",
        "MESH-C092 warning",
        "driver",
        "did you mean 'operational'?",
    ),
    ("mustBeGreaterThan: 0", "mustBe: many", "MESH-C087 error", "mustBe: many", "mustBe cannot be many"),
    ("mustBeBetween: [0, 5]", "mustBeBetween: [5, 0]", "MESH-C087 error", "mustBeBetween", "[5, 0]"),
    ("mustBeBetween: [0, 5]", "mustBeBetween: [0, 500]", "MESH-C087 error", "mustBeBetween", "[0, 500]"),
    ("mustBeGreaterThan: 0", "mustBe: 1, unit: percent", "MESH-C087 error", "mustBe: 1", "mustBe"),
    (
        "{properties: [carrier, delay]}",
        "{properties: [carier]}",
        "MESH-C088 warning",
        "carier",
        "did you mean 'carrier'?",
    ),
    ("{properties: [carrier, delay]}", "{}", "MESH-C088 warning", "arguments: {}", "without its properties"),
    (
        "{validValues: [UA]}",
        "{validValue: [UA], pattern: a}",
        "MESH-C088 warning",
        "validValue: [",
        "'validValues'?",
    ),
    ("{validValues: [UA]}", "{}", "MESH-C088 warning", "arguments: {}", "without validValues"),
    (
        "metric: rowCount, mustBeGreaterThan",
        "metric: nullValues, mustBeGreaterThan",
        "MESH-C088 warning",
        "metric: nullValues, mustBeGreaterThan",
        "whole",
    ),
    (
        "{metric: nullValues, unit: percent",
        "{metric: rowCount, unit: rows",
        "MESH-C088 warning",
        "metric: rowCount, unit",
        "rowCount",
    ),
    ("from {object}", "from {objekt}", "MESH-C089 warning", "query", "did you mean 'object'?"),
    ("from {object}", "from {object} where {property} > 1", "MESH-C089 warning", "query", "{property}"),
    ("severity: error", "severity: fatal", "MESH-C092 warning", "severity", "severity 'fatal'"),
    (
        "unit: percent, mustBeLessThan",
        "unit: per cent, mustBeLessThan",
        "MESH-C092 warning",
        "unit: per cent",
        "'percent'?",
    ),
    ("maximum: 600", "maximum: -61", "MESH-C090 error", "minimum", "leave no value"),
    ("maximum: 600", "exclusiveMaximum: -60", "MESH-C090 error", "minimum", "leave no value"),
    ("{value: b}", "{value: a}", "MESH-C025 error", "enum", "non-unique"),
    ("examples: [UA]", "examples: [UAL]", "MESH-C091 warning", "UAL", "longer than 2"),
    ("examples: [UA]", "examples: [12]", "MESH-C091 warning", "12", "expected text"),
    (
        "classification: public",
        "classification: pubic",
        "MESH-C092 warning",
        "classification",
        "did you mean 'public'?",
    ),
    ("'2026-01-31T10:00:00Z'", "yesterday", "MESH-C098 warning", "contractCreatedTs", "'yesterday'"),
    ("dateIn: '2026-01-01'", "dateIn: '2026-13-01'", "MESH-C098 warning", "dateIn", "'2026-13-01'"),
    (
        "dateIn: '2026-01-01'",
        "dateIn: '2026-01-02', dateOut: '2026-01-01'",
        "MESH-C098 warning",
        "dateOut",
        "'2026-01-01'",
    ),
    (
        "property: partitions",
        "property: partitons",
        "MESH-C094 warning",
        "property: partitons",
        "did you mean 'partitions'?",
    ),
    (
        "property: partitions",
        "property: cleanup.policy",
        "MESH-C094 warning",
        "property: cleanup",
        "'cleanupPolicy'?",
    ),
    (
        "property: partitions",
        "property: topic",
        "MESH-C094 warning",
        "property: topic",
        "schema[].physicalName",
    ),
    (
        "property: partitions",
        "property: precision",
        "MESH-C094 warning",
        "property: precision",
        "it belongs to a property",
    ),
    (
        "property: partitions, value: 3",
        "property: minInsyncReplicas, value: 0",
        "MESH-C046 error",
        "value: 0",
        "0",
    ),
    (
        "property: partitions, value: 3",
        "property: maxMessageBytes, value: 1e9",
        "MESH-C046 error",
        "value: 1e9",
        "1000000000.0",
    ),
    (
        "primaryKeyPosition: 1",
        "primaryKeyPosition: 0",
        "MESH-C026 error",
        "primaryKeyPosition",
        "part 0 of the key",
    ),
    (
        "id: delay",
        "id: delay\n        primaryKeyPosition: 2",
        "MESH-C026 error",
        "primaryKeyPosition: 2",
        "is not part of it",
    ),
    (
        "id: delay",
        "id: delay\n        primaryKey: true",
        "MESH-C026 error",
        "properties:\n      -",
        "others none",
    ),
    (
        "{id: city,",
        "{id: city, primaryKey: true,",
        "MESH-C026 error",
        "primaryKey: true, name",
        "stands inside a property",
    ),
    (
        "domain: ops",
        "domain: ops\ndataProduct: flights",
        "MESH-C093 warning",
        "dataProduct",
        "dataProduct is deprecated",
    ),
    (
        "domain: ops",
        "domain: ops\nslaDefaultElement: a.b",
        "MESH-C093 warning",
        "slaDefaultElement",
        "slaDefaultElement",
    ),
]

#: old text, new text: nothing is wrong
HOLDS = [
    ("unit: m,", "unit: Minutes,"),
    ("value: 5, unit: m,", "value: PT5M,"),
    ("latency, value: 5", "timeOfAvailability, value: 5"),
    ("latency, value: 5, unit: m,", "es, value: '2028-12-31',"),
    ("latency, value: 5, unit: m,", "availability, value: '99.5', unit: percent,"),
    ("to: [flights.carrier, flights.delay]", "to: [schema/flights, schema/flights/properties/delay]"),
    ("mustBe: 0}\n    properties", "mustBe: true}\n    properties"),
    ("from {object}", "from ${table}"),
    ("examples: [UA]", "examples: [null]"),
    ("mustBeBetween: [0, 5]", "mustBeBetween: [0, 100]"),
    ("property: partitions", "property: colour"),
    ("{property: partitions, value: 3}", "{property: minInsyncReplicas, value: 2}"),
    ("'2026-01-31T10:00:00Z'", "'2026-01-31T10:00:00+01:00'"),
]
