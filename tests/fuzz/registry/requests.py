"""Requests to the registry about things that are there, and what chance makes of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tests.faults.registry.schemas import grown
from tests.fuzz.spoiling import Good, spoiled

SUBJECT = "fuzzed-value"
_PLACES = f"/subjects/{SUBJECT}"
_RULES = {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}]}
_JSON_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]}
_PROTOBUF = (
    'syntax = "proto3"; package p; message M { string a = 1; repeated int32 b = 2; map<string, M> c = 3; }'
)
_AVRO = json.loads(grown(3))
_AVRO["fields"] += [
    {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "A"}},
    {"name": "u", "type": ["null", {"type": "array", "items": "Fact"}, {"type": "map", "values": "bytes"}]},
    {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as its parts; `extra` are headers that come last."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None  #: instead of the body
    extra: Sequence[tuple[str, str]] = ()
    length: int = 0  #: how much more the request claims to be than it is

    def wire(self, token: str) -> bytes:
        """As bytes; a body that no encoder takes is sent as its text."""
        body = self.raw
        if body is None:
            body = b"" if self.body is None else json.dumps(self.body).encode("utf-8", "replace")
        query = "?" + "&".join(f"{name}={value}" for name, value in self.query.items()) if self.query else ""
        head = [f"{self.method} /registry{self.path}{query} HTTP/1.1", "Host: 127.0.0.1"]
        head += [f"Authorization: Bearer {token}", "Content-Type: application/json"]
        head += [f"{name}: {value}" for name, value in self.extra]
        if body or self.length:
            head.append(f"Content-Length: {max(0, len(body) + self.length)}")
        return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def good_requests() -> list[Asked]:
    """One of every kind, each of which is done or refused for a good reason."""
    posted = {"schema": json.dumps(_AVRO), "metadata": {"properties": {"a": "b"}}, "ruleSet": _RULES}
    protobuf = {"schemaType": "PROTOBUF", "schema": _PROTOBUF}
    json_schema = {"schemaType": "JSON", "schema": json.dumps(_JSON_SCHEMA)}
    reference = {"name": "faults.Fact", "subject": SUBJECT, "version": 1}
    referring = {
        "schema": '{"type":"record","name":"U","fields":[{"name":"f","type":"faults.Fact"}]}',
        "references": [reference],
    }
    tags = {"schemaEntity": {"entityType": "SR_FIELD", "entityPath": "faults.Fact.f0"}, "tags": ["PII"]}
    config = {"compatibility": "FULL", "normalize": True, "defaultRuleSet": _RULES, "alias": "other"}
    reads = ["/", "/subjects", "/schemas", "/schemas/types", "/contexts", "/config", "/mode", "/mesh/levels"]
    reads += ["/openapi.json", "/v1/metadata/id", "/associations/resources/-/t", f"/config/{SUBJECT}"]
    reads += [f"{_PLACES}/versions", f"{_PLACES}/versions/latest", f"{_PLACES}/versions/1/schema"]
    reads += [f"{_PLACES}/versions/1/referencedby", f"{_PLACES}/metadata", f"/mode/{SUBJECT}"]
    reads += ["/schemas/ids/1", "/schemas/ids/1/schema", "/schemas/ids/1/subjects", "/schemas/ids/1/versions"]
    reads += ["/contexts/.c/subjects", "/schemas/guids/00000000-0000-0000-0000-000000000000/ids"]
    query = {"deleted": "true", "offset": "0", "limit": "2", "subjectPrefix": ":*:", "format": "resolved"}
    asked = [Asked("GET", path, query) for path in reads]
    for body in (posted, protobuf, json_schema, referring):
        kind = str(body.get("schemaType", "avro" if body is posted else "referring")).lower()
        subject = SUBJECT if body is posted else f"fuzzed-{kind}-value"
        asked += [
            Asked("POST", f"/subjects/{subject}/versions", {"normalize": "true"}, body),
            Asked("POST", f"/subjects/{subject}", {}, body),
            Asked("POST", f"/compatibility/subjects/{subject}/versions/latest", {"verbose": "true"}, body),
        ]
    asked += [
        Asked("POST", f"{_PLACES}/versions/latest/tags", {}, {"tagsToAdd": [tags]}),
        Asked("PUT", "/config/fuzzed-other", {}, config),
        Asked("PUT", "/mode/fuzzed-other", {"force": "true"}, {"mode": "IMPORT"}),
        Asked("POST", "/subjects/fuzzed-other/versions", {}, posted | {"id": 900_000, "version": 3}),
        Asked("DELETE", "/mode/fuzzed-other"),
        Asked("DELETE", "/config/fuzzed-other"),
        Asked("DELETE", "/subjects/fuzzed-gone/versions/latest", {"permanent": "false"}),
        Asked("DELETE", "/subjects/fuzzed-gone", {"permanent": "true"}),
        Asked("DELETE", "/contexts/.c"),
    ]
    return asked


def mutated(dice: random.Random, good: Sequence[Asked]) -> Iterator[Asked]:
    """Requests without end, each with one to three parts changed."""
    while True:
        asked = dice.choice(good)
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            asked = dice.choice(_WAYS)(dice, asked)
        yield asked


_VALUES: tuple[Any, ...] = (
    None, 0, -1, 1, 2**31 - 1, 2**31, 10**30, -(2**63), 1.5, 1e308, True, False, "", " ", "x", "1", "latest",
    "NONE", "avro", "__GLOBAL", ":.c:s", ":.:", ":*:", "a/b", "..", "\x00", "\u202e", "é\u2028🙂", "\ud800",
    "x" * 5_000, [], {}, [[]], [None], {"": ""}, {"name": "x"}, ["a"] * 300, {"a": {"b": {"c": []}}},
)  # fmt: skip
_KEYS = (
    "schema", "schemaType", "references", "metadata", "ruleSet", "id", "version", "normalize",
    "compatibility", "mode", "alias", "tags", "properties", "sensitive", "domainRules",
    "migrationRules", "name", "subject",
    "compatibilityGroup", "overrideMetadata", "defaultRuleSet", "validateFields", "expr", "params", "zz",
)  # fmt: skip
_TEXTS = (
    "", "%00", "%2F", "%2f..%2f", "..", "%", "%zz", "%ff", "%C3%28", "%F0%9F%99%82", "+", "*", ":.c:s", ":.:",
    "%3A.c%3As", ":*:", "__GLOBAL", "latest", "-1", "0", "2147483648", "99999999999999999999", "1.0", "0x1",
    "%E2%80%AE", ";a=b", "true", "TRUE", "True", "null", "x" * 3_000, "%0d%0aX: y", "{subject}", "١", "%09",
    "%0a",
)  # fmt: skip
_HEADERS = (
    ("Accept", "text/html"), ("Accept", "*/*;q=0"), ("Accept", ","), ("Accept", "application/json;q=nan"),
    ("Accept", "a/b;q=1e999, application/json"), ("Accept", "x" * 4_000), ("Content-Type", "text/plain"),
    ("Content-Type", ""), ("Content-Type", "application/json; charset=utf-16"), ("Content-Encoding", "gzip"),
    ("Expect", "100-continue"), ("Upgrade", "websocket"), ("Range", "bytes=0-"), ("Host", "evil.example"),
    ("Transfer-Encoding", "chunked"), ("Authorization", "Bearer"), ("Authorization", "Basic ====="),
    ("Authorization", "Basic " + "A" * 5_000), ("Idempotency-Key", ""), ("Idempotency-Key", "k" * 3_000),
    ("Idempotency-Key", "same"), ("Idempotency-Key", "a/b\u00e9"), ("Cookie", "a=" + "b" * 3_000),
    ("X", "y" * 70_000),
)  # fmt: skip
_JUNK = (
    b"{", b"[]", b"null", b'"x"', b"1e400", b"NaN", b'{"schema":1,"schema":2}', b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"a":' * 5_000, b"[" * 100_000, b'{"schema":"\\ud800"}', b" " * 200_000, bytes(100),
    b'{"compatibility":"full"} x', b'{"schema":"' + b'\\"' * 30_000 + b'"}',
)  # fmt: skip


def _path(dice: random.Random, asked: Asked) -> Asked:
    parts = asked.path.split("/")
    at = dice.randrange(1, len(parts))
    strange = dice.choice(_TEXTS)
    if dice.random() < 0.5:
        parts[at] = strange
    elif dice.random() < 0.5:
        parts[at] += strange
    else:
        parts.insert(at, strange)
    return replace(asked, path="/".join(parts).replace("\x00", ""))


def _query(dice: random.Random, asked: Asked) -> Asked:
    names = (*asked.query, "key", "value", "deleted", "permanent", "subject", "limit", "offset", "findTags")
    return replace(asked, query={**asked.query, dice.choice(names): dice.choice(_TEXTS)})


def _method(dice: random.Random, asked: Asked) -> Asked:
    return replace(
        asked, method=dice.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "X"))
    )


def _header(dice: random.Random, asked: Asked) -> Asked:
    return replace(asked, extra=(*asked.extra, dice.choice(_HEADERS)))


def _value(dice: random.Random, asked: Asked) -> Asked:
    if not isinstance(asked.body, dict):
        return _query(dice, asked)
    tree = json.loads(json.dumps(asked.body))
    holder: Any = tree
    while True:
        key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or dice.random() < 0.3:
            break
        holder = inner
    holder[dice.choice(_KEYS) if isinstance(holder, dict) and dice.random() < 0.3 else key] = dice.choice(
        _VALUES
    )
    return replace(asked, body=tree)


def _schema(dice: random.Random, asked: Asked) -> Asked:
    """Another schema: one that is spoiled, of its own kind or said to be of another."""
    if not isinstance(asked.body, dict) or "schema" not in asked.body:
        return _value(dice, asked)
    tree = _AVRO if dice.random() < 0.7 else _JSON_SCHEMA
    text = spoiled(dice, Good("schema", "s", json.dumps(tree), tree)).decode("utf-8", "replace")
    if asked.body.get("schemaType") == "PROTOBUF":
        at = dice.randrange(len(_PROTOBUF))
        pieces = (
            "{",
            "}",
            "message A { A a = 1; }",
            "oneof x {",
            "/*",
            "= 999999999999",
            "extend",
            "\x00",
            '"',
        )
        text = _PROTOBUF[:at] + dice.choice(pieces) * dice.choice((1, 1, 300)) + _PROTOBUF[at:]
    more = {"schemaType": dice.choice(("AVRO", "JSON", "PROTOBUF"))} if dice.random() < 0.2 else {}
    return replace(asked, body={**asked.body, "schema": text, **more})


def _junk(dice: random.Random, asked: Asked) -> Asked:
    whole = json.dumps(asked.body).encode() if asked.body is not None else b"{}"
    at = dice.randrange(len(whole))
    flipped = whole[:at] + dice.randbytes(dice.choice((0, 1, 8))) + whole[at + dice.choice((1, 1, 30)) :]
    return replace(asked, raw=dice.choice((flipped, flipped, dice.choice(_JUNK), whole * 40)))


def _length(dice: random.Random, asked: Asked) -> Asked:
    return replace(asked, length=dice.choice((-5, -1, 1, 5, 10**9, 10**20)))


def _subject(dice: random.Random, asked: Asked) -> Asked:
    """Another name, rightly quoted: any text may be a subject."""
    name = "".join(
        dice.choice(("a", "/", " ", ":", "é", "🙂", "%", "\n", ".", "?")) for _ in range(dice.randint(1, 12))
    )
    return replace(asked, path=asked.path.replace(SUBJECT, quote(name, safe="")))


_WAYS: tuple[Callable[[random.Random, Asked], Asked], ...] = (
    *[_path] * 4, *[_query] * 3, _method, *[_header] * 2, *[_value] * 5, *[_schema] * 5, *[_junk] * 3,
    _length, _subject,
)  # fmt: skip
