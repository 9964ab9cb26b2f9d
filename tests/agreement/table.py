"""`reference/rules.md`: which engine expresses which rule on which property, all run by the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mesh.contract.avro import avro_schema
from mesh.contract.record_rules import record_rules
from mesh.contract.rule_targets import rule_targets
from mesh.rules.inexpressible import Inexpressible
from mesh.rules.model import Rule, steps_of
from mesh_platform.quality.expressed import expressed
from tests.agreement.cases import case
from tests.unit.contract_kit import contract_of

ENGINES: Final = ("CEL", "SQL", "Great Expectations")
_WRITTEN: Final = {
    "Required": "`required`, `nullValues`",
    "OneOf": "`enum`, `validValues`",
    "Pattern": "`pattern`",
    "Length": "`minLength`, `maxLength`",
    "Range": "`minimum`, `maximum`, `exclusive…`",
    "MultipleOf": "`multipleOf`",
    "ItemCount": "`minItems`, `maxItems`",
    "UniqueItems": "`uniqueItems`",
}


def rules_page() -> str:
    """`reference/rules.md`."""
    lines = [
        "# Rules and engines\n",
        "A rule of a contract is written once and checked by several engines. Each row was executed over\n"
        "the same events: nulls, empty texts, boundary numbers, NaN and infinities, decimals, combining and\n"
        "astral characters, timestamps at the edges, empty and long lists. All engines that say yes agree\n"
        "with the guard that publishers run. `mesh rules CONTRACT` shows the same of a contract.\n",
        "| property | rule | guard | " + " | ".join(ENGINES) + " |",
        "| --- | --- |" + " --- |" * (len(ENGINES) + 1),
    ]
    notes: dict[str, int] = {}
    for (kind, written), found in _cells().items():
        cells = []
        for engine in ENGINES:
            whys = found[engine]
            numbers = [notes.setdefault(why, len(notes) + 1) for why in sorted(filter(None, whys))]
            words = "yes" if not numbers else "some" if "" in whys else "no"
            cells.append(" ".join([words, *(f"({number})" for number in numbers)]))
        lines.append(f"| {kind} | {written} | yes | {' | '.join(cells)} |")
    lines.append("")
    lines += [f"{number}. The engine cannot, because {why}." for why, number in notes.items()]
    return "\n".join(lines) + "\n"


def _cells() -> Mapping[tuple[str, str], Mapping[str, set[str]]]:
    """By property and rule: for each engine the reasons why it cannot; an empty one where it can."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for kind, rule, engine, why in _expressed():
        key = (kind, _WRITTEN[type(rule.check).__name__])
        found.setdefault(key, {one: set() for one in ENGINES})[engine].add(why)
    return found


def _expressed() -> Iterator[tuple[str, Rule, str, str]]:
    made = case(seed=0, rules=0, values=0)
    contract = contract_of(made.properties)
    windows = expressed(contract)
    targets = rule_targets(contract, avro_schema(contract))
    for rule, target in zip(record_rules(contract), targets, strict=True):
        texts = {"CEL": target.cel, "SQL": target.sql, "Great Expectations": windows[rule.name, rule.path]}
        for engine, text in texts.items():
            kind = made.kinds[steps_of(rule.path)[0]]
            yield kind, rule, engine, text.why if isinstance(text, Inexpressible) else ""
