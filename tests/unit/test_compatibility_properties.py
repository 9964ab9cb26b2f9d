"""Properties of the compatibility verdict over generated schemas: it holds in practice, and others agree."""

from __future__ import annotations

import io
import json
from typing import Any

import avro.schema
import fastavro
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesh.compatibility import Level, check, problems
from mesh.schema import AvroSchema, parse_schema
from tests.unit.avro_schemas import data, pairs, records

CALM = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def schema_of(tree: Any) -> AvroSchema:
    return parse_schema(json.dumps(tree))


@CALM
@given(st.data())
def test_a_compatible_reader_decodes_everything_the_writer_wrote(choice: st.DataObject) -> None:
    writer_tree, reader_tree = choice.draw(pairs())
    writer, reader = schema_of(writer_tree), schema_of(reader_tree)
    assume(not problems(reader, writer))
    value = choice.draw(data(writer_tree))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(writer.codec_tree), value)
    fastavro.schemaless_reader(
        io.BytesIO(out.getvalue()),
        fastavro.parse_schema(writer.codec_tree),
        fastavro.parse_schema(reader.codec_tree),
    )


def second_opinion(reader: AvroSchema, writer: AvroSchema) -> set[str]:
    """The kinds of problem that Apache Avro for Python sees, where its checker is right."""
    theirs = ReaderWriterCompatibilityChecker().get_compatibility(
        avro.schema.parse(reader.text), avro.schema.parse(writer.text)
    )
    assert bool(theirs.incompatibilities) == (theirs.compatibility is SchemaCompatibilityType.incompatible)
    # It compares an enum that lacks a field default with the whole record, and calls that a type mismatch.
    assume(not any("enum not compatible with writer type: record" in said for said in theirs.messages))
    return {str(kind.value).upper() for kind in theirs.incompatibilities}


@CALM
@given(pairs())
def test_the_verdict_and_its_kinds_are_those_of_apache_avro_for_python(pair: tuple[Any, Any]) -> None:
    writer, reader = (schema_of(tree) for tree in pair)
    ours = {str(problem.type) for problem in problems(reader, writer)}
    # It lets aliases be ambiguous, and then its own reader finds no value.
    assume("AMBIGUOUS_FIELD_ALIASES" not in ours)
    assert ours == second_opinion(reader, writer)


@CALM
@given(records())
def test_every_schema_reads_itself_at_every_level(tree: Any) -> None:
    from tests.unit.avro_schemas import named

    schema = schema_of(named(tree))
    assert all(not check(schema, [schema], level) for level in Level)


@CALM
@given(pairs())
def test_full_is_backward_and_forward(pair: tuple[Any, Any]) -> None:
    old, new = (schema_of(tree) for tree in pair)
    both = check(new, [old], Level.BACKWARD) + check(new, [old], Level.FORWARD)
    assert check(new, [old], Level.FULL) == both


@CALM
@given(pairs())
def test_every_problem_says_what_it_means_and_what_to_do(pair: tuple[Any, Any]) -> None:
    old, new = (schema_of(tree) for tree in pair)
    for problem in check(new, [old], Level.FULL):
        assert problem.field in problem.explanation
        assert problem.explanation.endswith(".")
        assert problem.fix
