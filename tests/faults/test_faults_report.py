"""What a campaign may say: a report that could not check something does not call it valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh_platform.chaos.document import page
from mesh_platform.chaos.final import Effect, Final, Record, Sink
from mesh_platform.chaos.history import Line, Recorder, last_line, read
from mesh_platform.chaos.plan import Wish
from mesh_platform.chaos.queue import total_queue
from mesh_platform.chaos.report import Finding, Report
from mesh_platform.chaos.verdict import judge

LOG = ("orders", 0)
WISH = Wish(seed=1, kills=4, events=1)
SENT = [
    Line(proc="p", type=outcome, f="send", topic="orders", vs=("p-0", "p-1")) for outcome in ("invoke", "ok")
]


def left(*values: str) -> Final:
    records = [Record(offset, "k", value, value) for offset, value in enumerate(values)]
    by_event = Sink("orders", "event", [Effect(r.id, "k", str(r.value)) for r in records])
    by_record = Sink("orders", "record", [Effect(f"0/{r.offset}", "k", str(r.value)) for r in records])
    return Final({LOG: records}, sinks={"handler": by_event, "pipeline": by_record})


def judged(final: Final, ends: str = "node publisher consumer pipeline", **more: Any) -> Report:
    report = Report(1)
    report.ends.update(f"{role} clock" for role in ends.split())
    judge(report, WISH, SENT, final, **more)
    return report


def test_a_campaign_in_which_everything_died_and_nothing_is_missing_is_valid() -> None:
    assert judged(left("p-0", "p-1")).verdict == "valid"


def test_one_finding_makes_it_invalid() -> None:
    report = judged(left("p-0"))
    assert (report.verdict, report.verdict_of("lost"), report.verdict_of("unexpected")) == (
        "invalid",
        "invalid",
        "valid",
    )


def test_a_role_that_never_died_leaves_it_unknown() -> None:
    report = judged(left("p-0", "p-1"), ends="node publisher consumer")
    assert (report.verdict, list(report.unknown)) == ("unknown", ["kills of a pipeline"])


def test_what_could_not_be_read_leaves_every_check_unknown() -> None:
    report = judged(Final(), unread="the broker does not answer")
    assert report.verdict == "unknown"
    assert report.findings == []
    assert report.verdict_of("lost") == "unknown"


def test_a_handler_without_effects_leaves_its_checks_unknown() -> None:
    final = left("p-0", "p-1")
    report = judged(Final(final.records, sinks={"handler": Sink("orders", "event", [])}))
    assert report.verdict_of("effect_order") == "unknown"


def test_a_report_without_checks_is_unknown() -> None:
    assert Report(1).verdict == "unknown"


def test_a_queue_is_counted_as_jepsen_counts_it() -> None:
    tried = Line(proc="p", type="invoke", f="send", topic="orders", vs=("p-2", "p-3"))
    counted = total_queue([*SENT, tried], left("p-0", "p-0", "p-2", "p-9"))
    assert counted.figures() == {
        "attempted": 4,
        "acknowledged": 2,
        "lost": 1,
        "unexpected": 1,
        "recovered": 1,
        "copies": 1,
    }


def test_a_page_says_verdict_seed_kills_and_every_check() -> None:
    report = judged(left("p-0", "p-1"))
    report.figures["seconds"] = 90.0
    said = page(report, WISH, "mesh chaos --seed 1")
    assert "**Verdict: valid.**" in said
    assert "4 processes died" in said
    assert all(f"| `{check}` |" in said for check in report.checks)


def test_a_page_says_when_less_was_reached_than_was_asked_for() -> None:
    report = judged(left("p-0", "p-1"))
    report.figures["seconds"] = 90.0
    more = Wish(seed=1, kills=300, events=1_000_000)
    assert "Asked for were 1,000,000 events and 300 kills" in page(report, more, "mesh chaos")
    assert "Asked for" not in page(report, WISH, "mesh chaos")


def test_a_page_names_what_was_found() -> None:
    report = judged(left("p-0", "p-1"))
    report.figures["seconds"] = 90.0
    report.findings.append(Finding("lost", "p-7 is gone"))
    assert "- `lost`: p-7 is gone" in page(report, WISH, "mesh chaos")


def test_a_line_torn_by_a_kill_is_taken_away_before_the_next_life_writes(tmp_path: Path) -> None:
    path = tmp_path / "p.history"
    with Recorder(path, "p") as recorder:
        recorder.note("invoke", "send", vs=["p-0"])
    with path.open("a") as file:
        file.write('{"t":1,"proc":"p","ty')
    with Recorder(path, "p") as recorder:
        recorder.note("ok", "send", vs=["p-0"])
    assert [line.type for line in read([path], Line)] == ["invoke", "ok"]


def test_the_last_line_is_found_behind_a_long_tail_of_others(tmp_path: Path) -> None:
    path = tmp_path / "p.history"
    with Recorder(path, "p") as recorder:
        recorder.note("ok", "send", vs=["p-0"])
        for _ in range(3_000):
            recorder.note("ok", "begin")
    found = last_line(path, "send")
    assert found is not None
    assert found["vs"] == ["p-0"]
    assert last_line(path, "commit") is None


@pytest.mark.parametrize("kills", [0, 1, 30, 317])
def test_all_kills_are_given_to_somebody(kills: int) -> None:
    schedules = Wish(seed=7, kills=kills, events=1).schedules()
    assert sum(map(len, schedules.values())) == kills


def test_a_seed_decides_who_dies_when() -> None:
    wishes = [Wish(seed=seed, kills=40, events=1) for seed in (3, 3, 4)]
    first, again, other = (wish.schedules() for wish in wishes)
    assert first == again
    assert first != other


def test_a_kafka_that_runs_elsewhere_is_left_alone() -> None:
    assert "node" not in Wish(seed=3, kills=40, events=1, broker="external").schedules()


def test_actors_of_a_fault_bear_its_name_and_work_alone() -> None:
    wish = Wish(seed=3, kills=4, events=1, broken=("new-ids", "turn-round"))
    assert wish.names["publisher"] == ["new-ids", "turn-round"]
    assert wish.names["consumer"] == ["co0", "co1"]
