"""A control log in which everything happens once, and logs in memory to keep it in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_platform.audit.state import CHECKPOINT
from mesh_platform.log import Record, SqliteLog
from mesh_platform.log.record import Deliver, Failed
from mesh_platform.views import Views
from tests.unit.contract_kit import CONTRACT

ID = "ops.flights.v1"
#: A contract that promises nothing any more, so that it may be removed.
RETIRED = CONTRACT.replace(ID, "ops.old.v1").replace("status: active", "status: retired")


def avro(name: str, *fields: str) -> str:
    """A record with optional text fields: a longer one follows a shorter one compatibly."""
    made = [{"name": one, "type": ["null", "string"], "default": None} for one in fields]
    return json.dumps({"type": "record", "name": name, "fields": made})


def contract(text: str, **more: Any) -> dict[str, Any]:
    return {
        "contract_id": ID,
        "version": "1.0.0",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "file": "flights.odcs.yaml",
        "text": text,
        "topic": ID,
        "schema": avro("Flight"),
        **more,
    }


def _proposal(text: str, base: str) -> dict[str, Any]:
    verdict = {"compatible": True, "problems": []}
    base_sha256 = hashlib.sha256(base.encode()).hexdigest()
    return contract(
        text, version="1.1.0", base_sha256=base_sha256, reason="a gate was added", verdict=verdict
    )


def _decision(number: int, text: str, decision: str) -> dict[str, Any]:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return {"number": number, "sha256": sha256, "decision": decision, "reason": "read and understood"}


def _product(name: str) -> dict[str, Any]:
    return {"full_name": name, "sha256": "5" * 64, "file": "p.odps.yaml", "text": f"the text of {name}"}


def story() -> list[tuple[str, dict[str, Any]]]:
    """Kinds and bodies: every kind of record, accepted, refused, repeated and unknown."""
    register, metadata = "registry.register", {"properties": {"owner": "ops"}, "tags": {"a": ["PII", "ß"]}}
    rules = {
        "domainRules": [{"name": "r", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}]
    }
    return [
        (register, {"subject": "a", "schema": avro("A")}),
        (register, {"subject": "a", "schema": avro("A", "x"), "metadata": metadata, "ruleSet": rules}),
        (register, {"subject": "a", "schema": '"long"'}),
        (register, {"subject": "b", "schema": avro("A")}),
        (register, {"subject": ":.eu:a", "schema": avro("A", "x", "y")}),
        (register, {"subject": "base", "schema": avro("Base")}),
        (
            register,
            {
                "subject": "user",
                "schema": json.dumps(
                    {"type": "record", "name": "User", "fields": [{"name": "base", "type": "Base"}]}
                ),
                "references": [{"name": "Base", "subject": "base", "version": 1}],
            },
        ),
        (register, {"subject": "c", "schema": '"string"'}),
        (register, {"subject": "gone", "schema": '"bytes"'}),
        ("registry.delete-version", {"subject": "a", "version": "1"}),
        ("registry.delete-subject", {"subject": "c"}),
        ("registry.delete-subject", {"subject": "gone"}),
        ("registry.delete-subject", {"subject": "gone", "permanent": True}),
        ("registry.set-config", {"compatibility": "FULL"}),
        ("registry.set-config", {"subject": "a", "compatibility": "NONE", "normalize": True}),
        ("registry.set-config", {"subject": "b", "defaultMetadata": metadata, "overrideRuleSet": rules}),
        ("registry.set-mode", {"subject": "imported", "mode": "IMPORT"}),
        (register, {"subject": "imported", "schema": '"int"', "id": 4711, "version": 7}),
        ("registry.set-mode", {"subject": "b", "mode": "READONLY"}),
        (register, {"subject": "b", "schema": '"double"'}),
        ("contract.declare", contract("one", rule_set=rules, level="BACKWARD")),
        ("product.declare", _product("ops.flights")),
        ("product.declare", _product("ops.gone")),
        ("subscription.put", {"product": "ops.flights", "group": "g", "fields": ["x"], "purpose": "maps"}),
        ("product.remove", {"full_name": "ops.gone"}),
        ("proposal.open", _proposal("two", "one")),
        ("proposal.open", _proposal("three", "one")),
        ("proposal.decide", _decision(2, "three", "approve")),
        ("proposal.open", _proposal("four", "three")),
        ("proposal.decide", _decision(3, "four", "refuse")),
        (register, {"subject": f"{ID}-value", "schema": '"float"'}),
        ("contract.declare", contract(RETIRED, contract_id="ops.old.v1", topic="ops.old.v1")),
        ("contract.remove", {"contract_id": "ops.old.v1"}),
        (register, {"subject": "j", "schema": '{"type": "object"}', "schemaType": "JSON"}),
        (register, {"subject": "p", "schema": 'syntax = "proto3"; message P {}', "schemaType": "PROTOBUF"}),
        ("registry.of-a-later-release", {"subject": "a"}),
        ("of-another-trade", {"n": [1, None, 1.5, "ü"]}),
        ("registry.register", {"subject": ["of no sense"]}),
        ("product.declare", {"of": "no sense"}),
        (register, {"subject": "a", "schema": avro("A", "x", "later")}),
    ]


def records(checkpoint_every: int = 0) -> list[Record]:
    """The story as records; with checkpoints after so many of them."""
    views, found = Views(), list[Record]()

    def take(kind: str, body: Mapping[str, Any], command: str) -> None:
        offset = len(found)
        record = Record(offset, f"2026-11-21T12:00:{offset:02}.000+00:00", "ann", kind, body, command)
        found.append(record)
        views.apply(record)

    for number, (kind, body) in enumerate(story()):
        take(kind, body, f"command-{number // 2}" if number < 2 else f"command-{number}/ab")
        if checkpoint_every and number % checkpoint_every == checkpoint_every - 1:
            take(CHECKPOINT, views.audit.checkpoint(), "")
    return found


@dataclass
class MemoryLog:
    """A log of one process, in a list; `chain` is None as on a log with several writers."""

    records: list[Record] = field(default_factory=list)
    chain: str | None = None
    _deliver: Deliver | None = None

    def append(
        self, *, time: str, actor: str, kind: str, body: Mapping[str, Any], command: str = ""
    ) -> Record:
        stored = json.loads(json.dumps(body))
        record = Record(len(self.records), time, actor, kind, stored, command)
        self.records.append(record)
        if self._deliver is not None:
            self._deliver([record])
        return record

    def send(
        self,
        failed: Failed,
        *,
        time: str,
        actor: str,
        kind: str,
        body: Mapping[str, Any],
        command: str = "",
    ) -> None:
        self.append(time=time, actor=actor, kind=kind, body=body, command=command)

    def read(self, start: int = 0) -> Iterator[Record]:
        return iter(self.records[start:])

    def follow(self, start: int, deliver: Deliver, lost: Failed) -> None:
        self._deliver = deliver

    def close(self) -> None:
        self._deliver = None


def replayed(found: list[Record]) -> Views:
    views = Views()
    for record in found:
        views.apply(record)
    return views


def fill(log: SqliteLog, found: Iterable[Record]) -> None:
    """Write records as they are."""
    with log.together():
        for record in found:
            log.append(
                time=record.time,
                actor=record.actor,
                kind=record.kind,
                body=record.body,
                command=record.command,
            )
