"""A subscription while its registry is away, lags or talks rubbish: events wait, none is lost or buried."""

from __future__ import annotations

import pytest

from mesh.errors import MeshError, RegistryError, SchemaError, UnreachableError
from mesh.writers import Asker, Patience, Writers
from tests.unit.fault_server import Time
from tests.unit.subscription_kit import AWAY, PORT, UNKNOWN, Case, Record, Script


def test_f14_a_warm_subscription_does_not_notice_an_outage_of_an_hour() -> None:
    case = Case({0: [1]})
    case.go_on(1)
    case.registry.trouble[1] = AWAY
    for _ in range(60):
        case.topic.records[0].append(1)
        case.go_on(60)
    assert len(case.read) == 61
    assert len(case.registry.asked) == 1
    assert case.buried.values == []


def test_f15_an_unknown_schema_holds_its_partition_and_the_others_go_on() -> None:
    case = Case({0: [1, 7, 1], 1: [1, 1, 1]}, {7: AWAY})
    case.go_on(600)
    assert case.read == ["0/0", "1/0", "1/1", "1/2"]
    assert case.subscription.waiting == {0: "schema id 7: the schema registry does not answer: "}
    assert case.buried.values == []


def test_f15_nothing_that_waits_is_committed() -> None:
    case = Case({0: [1, 7, 1]}, {7: AWAY})
    case.go_on(600)
    assert case.topic.committed == {0: 1}


@pytest.mark.parametrize("outage", [1, 30, 600])
def test_f15_the_partition_goes_on_within_five_seconds_after_the_registry_is_back(outage: float) -> None:
    case = Case({0: [1, 7, 1, 7]}, {7: AWAY})
    case.go_on(outage)
    del case.registry.trouble[7]
    case.go_on(5)
    assert case.read == ["0/0", "0/1", "0/2", "0/3"]
    assert case.subscription.waiting == {}
    assert case.buried.values == []


def test_f15_a_registry_that_is_away_is_asked_every_two_seconds_not_more() -> None:
    case = Case({0: [7] * 10, 1: [8] * 10, 2: [7]}, {7: AWAY, 8: AWAY})
    case.go_on(600)
    assert 500 <= len(case.registry.asked) <= 610


def test_f15_while_the_registry_is_away_new_ids_do_not_stop_the_reading_one_by_one() -> None:
    case = Case({0: [*range(100, 200)]}, dict.fromkeys(range(100, 200), AWAY))
    case.subscription.poll(wait_seconds=0)
    assert len(case.registry.asked) == 1


def test_f16_an_id_that_comes_to_be_known_within_two_seconds_is_read() -> None:
    case = Case({0: [7]}, {7: UNKNOWN})
    case.go_on(1.5)
    del case.registry.trouble[7]
    case.go_on(5)
    assert (case.read, case.buried.values) == (["0/0"], [])


def test_f16_an_id_is_poison_after_three_tries_and_two_seconds() -> None:
    case = Case({0: [7, 1]}, {7: UNKNOWN})
    case.go_on(10)
    times = [at for schema_id, at in case.registry.asked if schema_id == 7]
    assert len(times) >= 3
    assert times[-1] - times[0] >= 2
    assert (case.read, len(case.buried.values)) == (["0/1"], 1)


def test_f16_an_outage_between_does_not_make_an_id_unknown() -> None:
    case = Case({0: [7]}, {7: UNKNOWN})
    case.go_on(1)
    case.registry.trouble[7] = AWAY
    case.go_on(60)
    assert case.buried.values == []


def test_f16_an_unknown_id_is_asked_for_again_after_a_minute() -> None:
    case = Case({0: [7]}, {7: UNKNOWN})
    case.go_on(10)
    del case.registry.trouble[7]
    case.topic.records[0].append(7)
    case.go_on(1)
    assert (case.read, len(case.buried.values)) == ([], 2)
    case.go_on(60)
    case.topic.records[0].append(7)
    case.go_on(1)
    assert case.read == ["0/2"]


def test_many_unknown_ids_are_asked_for_together() -> None:
    case = Case({0: [*range(100, 150)]}, dict.fromkeys(range(100, 150), UNKNOWN))
    case.go_on(90)
    assert len(case.buried.values) == 50


def test_another_404_is_not_about_the_id_and_stops_the_reading_loudly() -> None:
    elsewhere = RegistryError("HTTP 404 Not Found", status=404, registry_code=404)
    case = Case({0: [7, 1]}, {7: elsewhere})
    with pytest.raises(RegistryError, match="404"):
        case.go_on(10)
    assert (case.buried.values, case.topic.committed) == ([], {})


def test_a_token_that_is_not_valid_any_more_stops_the_reading_and_loses_nothing() -> None:
    case = Case({0: [7, 1]}, {7: RegistryError("no", status=401, registry_code=401)})
    for _ in range(2):
        with pytest.raises(RegistryError):
            case.go_on(10)
    del case.registry.trouble[7]
    case.go_on(5)
    assert (case.read, case.buried.values) == (["0/0", "0/1"], [])


@pytest.mark.parametrize(
    "useless",
    [SchemaError("too deep"), RegistryError("schema id 7 is PROTOBUF, not Avro", code="MESH-R002")],
    ids=["unsafe", "of another kind"],
)
def test_an_event_of_a_schema_that_is_of_no_use_goes_to_the_dead_letters(useless: MeshError) -> None:
    case = Case({0: [7, 1]}, {7: useless})
    case.go_on(1)
    assert (case.read, len(case.buried.values)) == (["0/1"], 1)


def test_a_partition_that_waits_after_a_refusal_in_between_is_asked_for_again() -> None:
    case = Case({0: [7]}, {7: AWAY})
    case.go_on(10)
    case.registry.trouble[7] = RegistryError("no", status=403, registry_code=403)
    with pytest.raises(RegistryError):
        case.go_on(10)
    del case.registry.trouble[7]
    case.go_on(5)
    assert case.read == ["0/0"]


def test_a_reading_that_has_nothing_else_to_do_waits_a_minute_in_place() -> None:
    case = Case({}, {7: AWAY})
    with pytest.raises(UnreachableError):
        case.decoder.decode([Record((0, 0), 7)])
    assert 60 < case.time.now < 65


def test_a_schema_is_asked_for_beside_the_reading() -> None:
    time = Time()
    writers = Writers(PORT, Script(time), Patience(clock=time.clock))  # type: ignore[arg-type]
    asker = Asker(writers)
    asker.look([7])
    asker.close()
    assert asker._asking is not None
    asker._asking.result(10)
    assert writers.settled(7)
