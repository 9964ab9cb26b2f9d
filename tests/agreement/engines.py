"""Every engine, executed: each answers for every rule and every event whether the rule accepts it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from mesh.codec import arrow_schema
from mesh.contract.avro import avro_schema
from mesh.contract.model import Contract
from mesh.contract.record_rules import record_rules
from mesh.contract.rule_types import event_of
from mesh.rules import sql
from mesh.rules.closures import compile_closures
from mesh.rules.compilation import place_of
from mesh.rules.inexpressible import Inexpressible
from mesh.rules.masks import compile_masks
from mesh.rules.model import Rule, steps_of
from mesh.rules.ruleset import expressions

Answer = list[bool] | Inexpressible
_EPOCH = date(1970, 1, 1).toordinal()


class Events:
    """A contract and events of it, as rows and as Arrow has them."""

    def __init__(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> None:
        schema = avro_schema(contract)
        self.contract = contract
        self.rows = rows
        self.event = event_of(schema)
        self.rules = record_rules(contract)
        loose = pa.schema([field.with_nullable(True) for field in arrow_schema(schema)])
        self.batch = pa.RecordBatch.from_arrays(
            [pa.array([_stored(row[f.name], f.type) for row in rows], f.type) for f in loose], schema=loose
        )


def _stored(value: Any, kind: pa.DataType) -> Any:
    """A map as its pairs, which is how Arrow takes one."""
    return list(value.items()) if pa.types.is_map(kind) and value is not None else value


def masks(events: Events) -> list[Answer]:
    """Arrow masks over the batch."""
    found: list[Answer] = []
    for rule in events.rules:
        verdict = compile_masks([rule], events.batch.schema).check(events.batch)
        every = [True] * events.batch.num_rows
        found.append(every if verdict.valid is None else verdict.valid.to_pylist())
    return found


def closures(events: Events) -> list[Answer]:
    """Closures, row by row."""
    guards = [compile_closures([rule], events.batch.schema) for rule in events.rules]
    return [[not guard.check(row) for row in events.rows] for guard in guards]


def cel(events: Events) -> list[Answer]:
    """CEL, the exact text of the rule set run by celpy on events as the official client hands them over."""
    import celpy

    environment = celpy.Environment()
    found: list[Answer] = []
    for rule, text in expressions(events.rules, events.event):
        if isinstance(text, Inexpressible):
            found.append(text)
            continue
        program = environment.program(environment.compile(text))
        name, known = steps_of(rule.path)[0], dict[str, bool]()
        answers = []
        for index, row in enumerate(events.rows):
            given = _absent({name: row[name]}, index)
            if repr(given) not in known:  # an evaluation takes milliseconds
                known[repr(given)] = _truth(program.evaluate({"message": to_cel(given)}), text)
            answers.append(known[repr(given)])
        found.append(answers)
    return found


def _truth(value: Any, text: str) -> bool:
    from celpy.celtypes import BoolType

    assert isinstance(value, BoolType), f"{text} is {value!r}"
    return bool(value)


def _absent(row: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Every second event leaves out what is null, as producers may."""
    return {name: value for name, value in row.items() if value is not None or index % 2}


def to_cel(value: Any) -> Any:
    """A value as confluent-kafka's CelExecutor converts it: a date is days, decimals stay as they are."""
    from celpy import celtypes

    match value:
        case dict():
            made = celtypes.MapType()
            for name, one in value.items():
                made[name] = to_cel(one)
            return made
        case list():
            return celtypes.ListType([to_cel(one) for one in value])
        case datetime():
            return celtypes.TimestampType(value)
        case date():
            return celtypes.IntType(value.toordinal() - _EPOCH)
        case str():
            return celtypes.StringType(value)
        case bool():
            return celtypes.BoolType(value)
        case int():
            return celtypes.IntType(value)
        case float():
            return celtypes.DoubleType(value)
    return value


def duckdb(events: Events) -> list[Answer]:
    """SQL, run by DuckDB over the same Arrow table."""
    import duckdb

    texts = [sql.predicate(rule, place_of(rule, events.event)) for rule in events.rules]
    asked = [text for text in texts if not isinstance(text, Inexpressible)]
    columns: list[list[bool]] = []
    if asked:
        connection = duckdb.connect(config={"threads": 1})
        connection.register("events", pa.Table.from_batches([_readable(events.batch)]))
        rows = connection.execute(f"SELECT {', '.join(asked)} FROM events").fetchall()
        connection.close()
        columns = [list(column) for column in zip(*rows, strict=True)]
        assert all(type(one) is bool for column in columns for one in column)
    answers = iter(columns)
    return [text if isinstance(text, Inexpressible) else next(answers) for text in texts]


def _readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without the columns that DuckDB does not read at all: decimals beyond 38 digits."""
    kept = [f.name for f in batch.schema if not pa.types.is_decimal256(f.type)]
    return batch.select(kept)


def expectations(events: Events) -> list[Answer]:
    """Great Expectations, over the frame that the quality worker gives it."""
    from mesh_platform.quality.compilation import compile_checks
    from mesh_platform.quality.expectations import Prepared, _great_expectations
    from mesh_platform.quality.frames import frame_of
    from mesh_platform.quality.record_checks import verdict_column
    from mesh_platform.quality.runnable import columns_of, runnable

    gx, definition = _great_expectations()
    checks = {(check.property, check.name): check for check in compile_checks(events.contract)}
    derived: dict[str, Rule] = {}
    verdicts: dict[str, Rule] = {}
    named: dict[str, None] = {}
    asked: list[Any] = []
    answers: list[Answer] = []
    for rule in events.rules:
        check = checks[(rule.path, rule.name)]
        answers.append(Inexpressible("Great Expectations", check.obstacle) if check.obstacle else [])
        if check.obstacle:
            continue
        (expectation,) = check.expectations
        if check.derived is not None:
            derived[verdict_column(check.derived)] = check.derived
            continue
        made = runnable(events.contract, expectation)
        verdicts |= made.verdicts
        named |= dict.fromkeys(columns_of(made.expectation))
        prepared = Prepared(made.expectation).build.copy()
        prepared.meta = {"rule": len(answers) - 1}
        asked.append(prepared)
    frame = frame_of(events.batch, [name for name in named if name not in verdicts], verdicts | derived)
    assert not frame.missing, frame.missing
    for number, rule in enumerate(events.rules):
        if verdict_column(rule) in derived:
            # the record rule's own verdict, which every such expectation counts in the same way
            answers[number] = [verdict is not False for verdict in frame.data[verdict_column(rule)].tolist()]
    with warnings.catch_warnings(action="ignore"):
        batch = definition.get_batch(batch_parameters={"dataframe": frame.data})
        suite = gx.ExpectationSuite(name="rules", expectations=asked)
        results = batch.validate(suite, result_format={"result_format": "COMPLETE"}).results
    for result in results:
        assert "unexpected_index_list" in result.result, result
        broken = set(result.result["unexpected_index_list"] or ())
        answers[result.expectation_config.meta["rule"]] = [
            row not in broken for row in range(len(events.rows))
        ]
    return answers


ENGINES: Mapping[str, Callable[[Events], list[Answer]]] = {
    "closure": closures,
    "CEL": cel,
    "SQL": duckdb,
    "Great Expectations": expectations,
}
