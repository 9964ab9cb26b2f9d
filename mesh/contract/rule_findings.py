"""What is wrong with the rules of a contract before the first event: each compiled against its types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh.contract.model import Contract
from mesh.contract.record_rules import Written, written_rules
from mesh.contract.rule_targets import target_findings
from mesh.contract.rule_types import event_of
from mesh.errors import DeclarationError, Finding
from mesh.rules.compilation import prepare
from mesh.rules.types import Object
from mesh.schema import AvroSchema


def rule_findings(contract: Contract, schema: AvroSchema) -> tuple[Finding, ...]:
    """The record rules of a contract that do not compile against the Avro schema of its events.

    MESH-C040…C043, at the place of the option or value that is wrong; no error means that publishers,
    subscribers and window checks will take them all. What other engines cannot check is info.
    """
    event = event_of(schema)
    rules = written_rules(contract)
    errors = [finding for written in rules for finding in _of_rule(written, event)]
    return tuple(errors or target_findings(contract, rules, event))


def _of_rule(written: Written, event: Object) -> Iterator[Finding]:
    rule = written.rule
    seen: set[str] = set()
    for where, part in written.parts:
        try:
            prepare(replace(rule, check=part), event)
        except DeclarationError as error:
            # What the type cannot have is said once; bounds and values each have their own fault.
            if error.error_code in seen and error.error_code != "MESH-C043":
                continue
            seen.add(error.error_code)
            yield Finding(
                code=error.error_code,
                message=f"the rule {rule.name!r} cannot be checked",
                where=where,
                why=error.why,
                fix="correct it, or the logicalType of the property; then: mesh check",
            )
