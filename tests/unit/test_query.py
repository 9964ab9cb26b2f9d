"""SQL over products: what a table means, what is read for it, and all that cannot be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from mesh import limits
from mesh.errors import MeshError, QueryError, UnreachableError
from mesh.query.answer import Answer
from mesh.query.engine import Ceiling, Shelf, ask
from mesh.query.table import Topic
from tests.unit.contract_kit import contract_of
from tests.unit.contract_kit import field as prop
from tests.unit.retained import Retained, shelf

FLIGHTS = contract_of(
    [
        prop("id", required=True, primaryKey=True),
        prop("carrier", required=True),
        prop("delay", "integer", logicalTypeOptions={"minimum": -60}),
        prop("at", "timestamp", required=True),
    ]
)
DELAYS = contract_of(
    [prop("route", required=True, primaryKey=True), prop("minutes", "integer", required=True)],
    contract_id="ops.route-delays.v1",
    custom={"cleanupPolicy": "compact"},
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def flight(number: int, carrier: str = "AA", delay: int | None = 5) -> dict[str, Any]:
    return {"id": f"f-{number}", "carrier": carrier, "delay": delay, "at": NOON}


@pytest.fixture
def flights() -> Retained:
    return Retained(FLIGHTS).add(flight(1), flight(2, delay=15), flight(3, "UA", 30), flight(4, "UA", None))


@pytest.fixture
def delays() -> Retained:
    made = Retained(DELAYS)
    for route, minutes in [("JFK-LAX", 5), ("EWR-SFO", 7), ("JFK-LAX", 9), ("LGA-ORD", 11)]:
        made.add({"route": route, "minutes": minutes})
    return made


def answered(query: str, tables: Shelf, **more: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in ask(query, tables, **more).rows()]


def refusal(query: str, tables: Shelf, **more: Any) -> QueryError:
    with pytest.raises(QueryError) as refused:
        ask(query, tables, **more)
    return refused.value


def test_a_product_is_a_table(flights: Retained) -> None:
    query = "select carrier, avg(delay) from ops.flights group by 1 order by 1"
    assert answered(query, shelf(ops__flights=flights)) == [("AA", 10.0), ("UA", 30.0)]


@pytest.mark.parametrize(
    "table",
    [
        "ops.route_delays",
        'ops."route-delays"',
        '"ops"."route-delays"',
        '"ops.route-delays"',
        "OPS.Route_Delays",
    ],
)
def test_a_name_with_a_hyphen_may_be_spelled_as_people_guess(table: str, delays: Retained) -> None:
    assert answered(f"select count(*) from {table}", shelf(ops__route_delays=delays)) == [(3,)]


@pytest.mark.parametrize("table", ['ops."flights.v1"', '"ops.flights.v1"'])
def test_a_contract_is_a_table_by_its_id(table: str, flights: Retained) -> None:
    known = shelf(ops__flights=flights)
    by_id = Shelf(lambda name: known.topic(name.removesuffix(".v1")), known.names)
    assert answered(f"select count(*) from {table}", by_id) == [(4,)]


def test_columns_may_be_named_with_their_table(flights: Retained) -> None:
    query = "select ops.flights.id, flights.delay from ops.flights where flights.delay > 20"
    assert answered(query, shelf(ops__flights=flights)) == [("f-3", 30)]


def test_products_join_and_a_product_joins_itself(flights: Retained, delays: Retained) -> None:
    known = shelf(ops__flights=flights, ops__route_delays=delays)
    joined = "select f.id, d.route from ops.flights f join ops.route_delays d on d.minutes = f.delay - 6"
    assert answered(joined, known) == [("f-2", "JFK-LAX")]
    itself = "select count(*) from ops.flights a join ops.flights b using (carrier)"
    assert answered(itself, known) == [(8,)]


def test_a_compacted_product_is_the_latest_event_of_each_key(delays: Retained) -> None:
    query = "select * from ops.route_delays order by route"
    latest = [("EWR-SFO", 7), ("JFK-LAX", 9), ("LGA-ORD", 11)]
    assert answered(query, shelf(ops__route_delays=delays)) == latest


def test_a_tombstone_deletes_its_key_from_a_compacted_product(delays: Retained) -> None:
    delays.put(b"JFK-LAX", None)
    query = "select route from ops.route_delays order by 1"
    assert answered(query, shelf(ops__route_delays=delays)) == [("EWR-SFO",), ("LGA-ORD",)]


def test_a_condition_does_not_bring_back_an_earlier_event_of_a_key(delays: Retained) -> None:
    query = "select route from ops.route_delays where minutes < 9"
    assert answered(query, shelf(ops__route_delays=delays)) == [("EWR-SFO",)]


def test_every_event_of_a_compacted_product_is_a_table_too(delays: Retained) -> None:
    query = 'select count(*) from ops."route_delays$events"'
    assert answered(query, shelf(ops__route_delays=delays)) == [(4,)]


def test_only_columns_that_are_needed_leave_the_reading(flights: Retained) -> None:
    taken: list[list[str]] = []
    known = shelf(ops__flights=flights)
    from mesh.query import table

    class Watched(table.ProductTable):
        def scanner(self, columns: list[str] | None = None, **more: Any) -> Any:
            taken.append(columns or [])
            return super().scanner(columns, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mesh.query.views.ProductTable", Watched)
        assert answered("select max(delay) from ops.flights where carrier = 'UA'", known) == [(30,)]
    assert set(*taken) <= {"carrier", "delay"}


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("_published >= '1970-01-01 00:00:02+00'", ["f-3", "f-4"]),
        ("_published < make_timestamptz(1000000)", ["f-1"]),
        ("_published between to_timestamp(1) and to_timestamp(2)", ["f-2", "f-3"]),
        ("_published > now() - interval 1 hour", []),
        ("_published = to_timestamp(1) or carrier = 'UA'", ["f-2", "f-3", "f-4"]),
    ],
)
def test_a_time_of_publishing_is_a_condition(condition: str, ids: list[str], flights: Retained) -> None:
    query = f"select id from ops.flights where {condition} order by 1"
    assert answered(query, shelf(ops__flights=flights)) == [(one,) for one in ids]


def test_what_was_published_at_other_times_is_not_fetched() -> None:
    many = Retained(FLIGHTS).add(*(flight(number) for number in range(3_000)))
    query = "select count(*) from ops.flights where _published >= to_timestamp(2990)"
    assert answered(query, shelf(ops__flights=many)) == [(10,)]
    assert many.taken == 10


def test_since_and_until_bound_every_table(flights: Retained) -> None:
    since, until = datetime.fromtimestamp(1, UTC), datetime.fromtimestamp(3, UTC)
    query = "select id from ops.flights order by 1"
    found = answered(query, shelf(ops__flights=flights), since=since, until=until)
    assert found == [("f-2",), ("f-3",)]
    assert flights.taken == 2


def test_facts_about_events_are_columns_when_they_are_named(flights: Retained) -> None:
    known = shelf(ops__flights=flights)
    assert ask("select * from ops.flights", known).columns == ("id", "carrier", "delay", "at")
    named = ask("select _partition, _offset, id from ops.flights order by 1, 2", known)
    assert [row["_offset"] for row in named.rows()] == [0, 1, 0, 1]


def test_a_query_sees_the_same_events_however_often_it_looks(flights: Retained) -> None:
    answered(
        "select (select count(*) from ops.flights), count(*) from ops.flights", shelf(ops__flights=flights)
    )
    assert len(flights.readings) == 2
    assert flights.readings[0] == flights.readings[1]


def test_a_limit_ends_the_reading_and_every_connection_is_closed() -> None:
    many = Retained(FLIGHTS).add(*(flight(number) for number in range(12_000)))
    assert len(ask("select id from ops.flights limit 3", shelf(ops__flights=many))) == 3
    assert many.taken < 12_000
    assert many.open == 0


def test_what_cannot_be_read_is_counted(flights: Retained) -> None:
    flights.add(flight(9)).put(b"f-10", b"junk")
    answer = ask("select count(*) from ops.flights", shelf(ops__flights=flights))
    assert answer.rows() == [{"count_star()": 5}]
    assert answer.unreadable == 1
    assert "1 events could not be read" in repr(answer)


def test_parameters_are_values_and_never_sql(flights: Retained) -> None:
    query = "select count(*) from ops.flights where carrier = ?"
    known = shelf(ops__flights=flights)
    assert answered(query, known, parameters=["UA"]) == [(2,)]
    assert answered(query, known, parameters=["' or 1=1 --"]) == [(0,)]


def test_a_decimal_beyond_duckdb_is_a_text() -> None:
    made = prop(
        "n",
        "number",
        required=True,
        customProperties=[{"property": "precision", "value": 60}, {"property": "scale", "value": 2}],
    )
    retained = Retained(contract_of([made])).add({"n": Decimal("1.25")})
    assert answered("select n from ops.flights", shelf(ops__flights=retained)) == [("1.25",)]


def test_describe_shows_the_columns_of_a_product(flights: Retained) -> None:
    described = answered("describe ops.flights", shelf(ops__flights=flights))
    assert [row[0] for row in described] == ["id", "carrier", "delay", "at"]
    assert flights.taken == 0


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select content from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from read_parquet('https://example.org/x.parquet')",
        "copy ops.flights to '/tmp/stolen.csv'",
        "copy (select 1) to '/tmp/stolen.csv'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "set memory_limit = '100GB'",
        "reset memory_limit",
        "call pragma_version()",
        "create table t as select 1",
        "create view v as select * from ops.flights",
        "drop view ops.flights",
        "delete from ops.flights",
        "insert into ops.flights values (1)",
        "with gone as (delete from ops.flights returning *) select * from gone",
        "select 1; select 2",
        "select 1; drop view ops.flights",
        "",
        "explain analyze select 1",
        "show tables",
        "select * from duckdb_settings()",
        "select * from information_schema.tables",
        "select * from pg_catalog.pg_class",
        "select * from query('select 1')",
        "select current_setting('memory_limit')",
        "select getenv('HOME')",
        "export database '/tmp/x'",
        "select * from __events_0",
        "with __events_0 as (select 1) select * from secrets.of_ours",
        "select \udcff",
    ],
)
def test_nothing_else_can_be_asked(query: str, flights: Retained) -> None:
    assert refusal(query, shelf(ops__flights=flights)).error_code in ("MESH-Q001", "MESH-Q002")
    assert flights.taken == 0


def test_a_name_in_python_is_no_table(flights: Retained) -> None:
    secret = pa.table({"n": [1]})
    assert refusal("select * from secret", shelf(ops__flights=flights)).error_code == "MESH-Q002"
    assert secret.num_rows == 1


def test_a_product_that_is_not_there_is_guessed(flights: Retained) -> None:
    error = refusal("select * from ops.flihgts", shelf(ops__flights=flights))
    assert (error.error_code, error.fix) == ("MESH-Q002", "write ops.flights")
    assert "did you mean ops.flights?" in error.what


def test_a_column_that_is_not_there_is_guessed(flights: Retained) -> None:
    error = refusal("select carier from ops.flights", shelf(ops__flights=flights))
    assert error.error_code == "MESH-Q003"
    assert '"carrier"' in error.fix


@pytest.mark.parametrize(
    ("query", "fix"),
    [
        ("select * from ops.route-delays", 'write ops.route_delays, or ops."route-delays"'),
        ("select * from ops.flights where at > now()", 'correct it; if at is a name, quote it: "at"'),
        ("select * from ops.flights.v1", 'write ops."flights.v1"'),
        ("select * from flights", "write <domain>.flights"),
    ],
)
def test_a_mistake_is_told_with_what_to_write_instead(query: str, fix: str, flights: Retained) -> None:
    assert refusal(query, shelf(ops__flights=flights)).fix == fix


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from range(10000000) a, range(10000000) b",
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n) from r",
    ],
)
def test_an_endless_query_ends(query: str) -> None:
    assert refusal(query, shelf(), ceiling=Ceiling(seconds=0.1)).error_code == "MESH-Q004"


def test_a_query_whose_time_is_up_before_it_begins_ends() -> None:
    endless = "select count(*) from range(10000000) a, range(10000000) b"
    assert refusal(endless, shelf(), ceiling=Ceiling(seconds=0)).error_code == "MESH-Q004"


def test_a_reading_that_takes_too_long_ends(flights: Retained) -> None:
    ticks = iter(range(100))
    error = refusal(
        "select * from ops.flights",
        shelf(ops__flights=flights),
        ceiling=Ceiling(seconds=0.5),
        clock=lambda: float(next(ticks)),
    )
    assert error.error_code == "MESH-Q004"
    assert flights.open == 0


def test_a_query_that_needs_too_much_memory_ends() -> None:
    hungry = "select length(list(repeat('x', 1000000) || n)::varchar) from range(100000) t(n)"
    assert refusal(hungry, shelf(), ceiling=Ceiling(megabytes=64)).error_code == "MESH-Q005"


def test_an_answer_has_as_many_rows_as_allowed_and_no_more() -> None:
    assert len(ask("select * from range(10)", shelf(), ceiling=Ceiling(rows=10))) == 10
    assert refusal("select * from range(11)", shelf(), ceiling=Ceiling(rows=10)).error_code == "MESH-Q006"


def test_a_query_may_be_as_long_as_the_limit() -> None:
    query = "select 1".ljust(limits.QUERY_LENGTH)
    assert len(ask(query, shelf())) == 1
    assert refusal(query + " ", shelf()).error_code == "MESH-Q001"


def test_a_query_that_fails_as_it_runs_says_why() -> None:
    error = refusal("select error('so it is')", shelf())
    assert error.error_code == "MESH-Q007"
    assert "so it is" in error.why


@pytest.mark.parametrize("trouble", [UnreachableError("no broker"), KeyboardInterrupt()])
def test_what_goes_wrong_while_reading_is_told_as_it_is(trouble: BaseException, flights: Retained) -> None:
    def fail(_bounds: object) -> Any:
        raise trouble

    topic = flights.topic()
    broken = Topic(topic.port, topic.decoder, topic.bounds, fail)
    with pytest.raises(type(trouble)) as told:
        ask("select * from ops.flights", Shelf(lambda _name: broken, lambda: ["ops.flights"]))
    assert told.value is trouble


def test_a_platform_that_does_not_answer_is_not_a_missing_product() -> None:
    def topic(_name: str) -> Topic:
        raise UnreachableError("the platform does not answer")

    with pytest.raises(UnreachableError):
        ask("select * from ops.flights", Shelf(topic, list))


def test_an_answer_comes_in_the_form_its_asker_likes() -> None:
    answer = ask("select 1 as one, 'x' as two", shelf())
    assert answer.to_arrow().num_rows == len(answer) == 1
    assert answer.to_polars().columns == answer.to_pandas().columns.tolist() == ["one", "two"]
    assert list(answer) == answer.rows() == [{"one": 1, "two": "x"}]


def test_an_answer_prints_as_a_table() -> None:
    assert repr(ask("select 1 as one, 'x' as two", shelf())).split("\n")[-1].split() == ["1", "x"]


def test_a_notebook_shows_an_answer_as_text_never_as_markup() -> None:
    shown = ask("select '<script>' as \"<b>\"", shelf())._repr_html_()
    assert "<th>&lt;b&gt;</th>" in shown
    assert "<td>&lt;script&gt;</td>" in shown


def test_a_notebook_shows_the_first_rows_and_how_many_there_are() -> None:
    shown = ask("select * from range(1000)", shelf())._repr_html_()
    assert shown.count("<tr>") == 21
    assert "20 of 1,000 rows" in shown


def test_columns_of_one_name_are_all_there() -> None:
    assert ask("select 1 as a, 2 as a", shelf()).rows() == [{"a": 1, "a_1": 2}]


def test_an_empty_answer_says_so() -> None:
    assert "no rows" in repr(Answer(pa.table({"a": pa.array([], pa.int64())})))


def test_errors_of_the_mesh_keep_their_code(flights: Retained) -> None:
    def topic(_name: str) -> Topic:
        raise MeshError("the topic is not there", code="MESH-K031")

    with pytest.raises(MeshError) as told:
        ask("select * from ops.flights", Shelf(topic, lambda: ["ops.flights"]))
    assert told.value.error_code == "MESH-K031"
