"""SQL rules: what they may ask of a window, and all that they may not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from mesh import limits
from mesh_platform.quality.places import Obstacle
from mesh_platform.quality.sandbox import ask
from mesh_platform.quality.suite import Suite
from tests.unit.contract_kit import contract_of, field

WINDOW = pa.table({"id": [1, 2, 2, None], "name": ["a", "b", None, "d"]})


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT count(*) FROM flights", 4),
        ("SELECT count(*) - count(DISTINCT id) FROM flights WHERE id IS NOT NULL", 1),
        ("SELECT max(id) > 1 FROM flights", True),
        ("SELECT avg(id) FROM flights", 5 / 3),
        ("SELECT CAST(1.5 AS DECIMAL(3, 1))", 1.5),
        (
            "WITH x AS (SELECT id FROM flights GROUP BY id HAVING count(*) > 1) SELECT count(*) FROM x",
            1,
        ),
        ("SELECT count(*) FROM flights a JOIN flights b USING (id)", 5),
        ("SELECT sum(n) FROM range(4) t(n)", 6),
        ("SELECT count(*) FROM (SELECT * FROM Flights UNION ALL SELECT * FROM flights) x", 8),
        (
            "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT max(n) FROM r",
            3,
        ),
        ("SELECT count(*) FROM flights -- a; comment", 4),
        ("SELECT TIMESTAMPTZ '2013-01-01 00:00:00' = TIMESTAMPTZ '2013-01-01 00:00:00+00'", True),
    ],
)
def test_a_rule_asks_one_number_or_truth_of_the_window(query: str, answer: object) -> None:
    assert ask(query, "flights", WINDOW) == answer


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM read_csv('/etc/passwd')",
        "SELECT count(*) FROM '/etc/passwd'",
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT count(*) FROM glob('/*')",
        "SELECT count(*) FROM read_parquet('https://example.org/x.parquet')",
        "SELECT count(*) FROM sniff_csv('/etc/passwd')",
        "COPY flights TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET memory_limit = '100GB'",
        "RESET memory_limit",
        "CALL pragma_version()",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW flights",
        "DELETE FROM flights",
        "WITH gone AS (DELETE FROM flights RETURNING *) SELECT count(*) FROM gone",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW flights",
        "",
        "EXPLAIN SELECT 1",
        "DESCRIBE flights",
        "SUMMARIZE flights",
        "SELECT count(*) FROM duckdb_settings()",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT count(*) FROM query('SELECT 1')",
        "SELECT count(*) FROM (SELECT (SELECT count(*) FROM duckdb_functions()))",
        "SELECT current_setting('memory_limit') = ''",
        "SELECT getenv('HOME') = ''",
        "SELECT sleep_ms(1) IS NULL",
        "EXECUTE anything",
        "SELECT count(*) FROM WINDOW",
        "SELECT FROM",
    ],
)
def test_nothing_else_can_be_asked(query: str) -> None:
    with pytest.raises(Obstacle):
        ask(query, "flights", WINDOW)


def test_a_name_in_python_is_no_table() -> None:
    secret = pa.table({"n": [1]})
    with pytest.raises(Obstacle, match="secret"):
        ask("SELECT count(*) FROM secret", "flights", WINDOW)
    assert secret.num_rows == 1


@pytest.mark.parametrize(
    "query", ["SELECT id FROM flights", "SELECT 1, 2", "SELECT 'one'", "SELECT NULL", "SELECT 1 WHERE false"]
)
def test_an_answer_that_is_no_single_number_or_truth_is_none(query: str) -> None:
    with pytest.raises(Obstacle, match="is asked"):
        ask(query, "flights", WINDOW)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(10000000) a, range(10000000) b",
        "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    ],
)
def test_an_endless_query_is_interrupted(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SQL_SECONDS", 0.1)
    with pytest.raises(Obstacle, match=r"longer than 0\.1 s"):
        ask(query, "flights", WINDOW)


def test_a_query_that_needs_too_much_memory_ends() -> None:
    hungry = "SELECT length(list(repeat('x', 1000000) || n)::VARCHAR) FROM range(100000) t(n)"
    with pytest.raises(Obstacle, match=r"MB|memory"):
        ask(hungry, "flights", WINDOW)


def test_a_query_may_be_as_long_as_the_limit() -> None:
    query = "SELECT 1".ljust(limits.SQL_LENGTH)
    assert ask(query, "flights", WINDOW) == 1
    with pytest.raises(Obstacle, match="longer than"):
        ask(query + " ", "flights", WINDOW)


def test_decimals_that_duckdb_does_not_know_are_left_out() -> None:
    wide = pa.table({"id": [1], "wide": pa.array([Decimal(1)], pa.decimal256(60, 0))})
    assert ask("SELECT count(*) FROM flights", "flights", wide) == 1


def sql_rule(query: str, **more: Any) -> dict[str, Any]:
    return {"name": "asked", "type": "sql", "query": query, **more}


def status_of(rule: dict[str, Any], *, on_property: bool = False) -> tuple[str, float | None, str]:
    own = {"quality": [rule]} if on_property else {}
    properties = [field("id", "integer", **own), field("name")]
    contract = contract_of(properties, quality=() if on_property else (rule,))
    suite = Suite(contract)
    (result,) = [one for one in suite.run(WINDOW) if one.name == "asked"]
    return result.status, result.measured, result.message


def test_an_sql_rule_is_measured_and_compared() -> None:
    assert status_of(sql_rule("SELECT count(*) FROM {object}", mustBe=4))[:2] == ("passed", 4.0)
    status, measured, message = status_of(sql_rule("SELECT count(*) FROM ${table}", mustBeLessThan=4))
    assert (status, measured) == ("failed", 4.0)
    assert message == "asked (< 4): observed 4."


def test_an_sql_rule_on_a_property_names_its_column() -> None:
    rule = sql_rule("SELECT max({property}) FROM {object}", mustBeBetween=[1, 2])
    assert status_of(rule, on_property=True)[0] == "passed"


def test_an_sql_rule_may_answer_with_true_or_false() -> None:
    assert status_of(sql_rule("SELECT min(id) = 1 FROM {object}", mustBe=1))[0] == "passed"


@pytest.mark.parametrize(
    "query", ["SELECT nothing FROM {object}", "SELECT", "SELECT 1/0.0/0", "SELECT error('x')"]
)
def test_an_sql_rule_that_fails_to_run_is_unknown(query: str) -> None:
    status, measured, message = status_of(sql_rule(query, mustBe=0))
    assert (status, measured) == ("unknown", None), message
    assert message.startswith("No verdict on")
