"""Document: the report of a campaign as a page, for whoever was not there."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from mesh_platform.chaos import checks, sinks
from mesh_platform.chaos.plan import NODE, Wish
from mesh_platform.chaos.report import Report
from mesh_platform.chaos.verdict import STALLED

_SAID = {
    "valid": "Every check was made, and none has found anything.",
    "invalid": "Something was found that must not be.",
    "unknown": "Nothing was found, but not every check could be made: nobody knows.",
}
_MEANINGS: Mapping[str, str] = {
    check.__name__: (check.__doc__ or "").split("\n")[0]
    for check in (*checks.CHECKS, checks.unfinished, *sinks.CHECKS)
} | {STALLED: "A reader that did not come to the end when nobody died any more."}
_FIGURES = ("attempted", "acknowledged", "lost", "unexpected", "recovered", "copies")
_ROLES = {NODE: "broker", "publisher": "publisher", "consumer": "handler", "pipeline": "pipeline"}


def page(report: Report, wish: Wish, command: str) -> str:
    """Markdown, whole."""
    return "\n".join(_lines(report, wish, command)) + "\n"


def _lines(report: Report, wish: Wish, command: str) -> Iterator[str]:
    yield from ("# Chaos", "")
    yield f"Written by `{command}` on {datetime.now(UTC):%d %B %Y}. [What it does](guides/chaos.md)."
    yield from ("", f"**Verdict: {report.verdict}.** {_SAID[report.verdict]}", "")
    yield f"{report.acknowledged:,} events were acknowledged, and {report.kills} processes died by kill -9."
    yield f"The broker was {_broker(wish)}, the seed {wish.seed}. It took {_long(report)}; {_machine()}."
    if report.kills < wish.kills or report.acknowledged < wish.events:
        yield f"Asked for were {wish.events:,} events and {wish.kills} kills; the time was over before."
    yield from ("", "## Who died", "")
    ends = _by_role(report)
    rows = [(_ROLES[role], str(count.total()), _moments(count)) for role, count in ends.items()]
    yield from _table(("process", "kills", "where"), rows)
    yield from (
        "",
        "## What was counted",
        "",
        "As Jepsen counts a queue: by event, in a committed read of all.",
        "",
    )
    counted = [(name, f"{report.figures[name]:,}") for name in _FIGURES if name in report.figures]
    more = [(name, f"{value:,}") for name, value in report.figures.items() if name not in _FIGURES]
    yield from _table(("what", "count"), [*counted, *more])
    yield from ("", "*Recovered* events were never acknowledged and are there. *Copies* were sent again by a")
    yield from ("publisher that had died: each has the id of the first, and handlers drop it by that.", "")
    yield from ("## What was checked", "")
    judged = [(f"`{check}`", _MEANINGS[check], _told(report, check)) for check in report.checks]
    yield from _table(("check", "looks for", "verdict"), judged)
    unmade = [f"- `{check}` is unknown: {why}" for check, why in report.unknown.items()]
    yield from ("", *unmade) if unmade else ()
    if report.findings:
        yield from ("", "## What was found", "")
        yield from (f"- `{finding.check}`: {finding.what[:300]}" for finding in report.findings[:20])
    yield from ("", "SIGKILL does not test the loss of power: what the operating system has taken, it keeps.")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _told(report: Report, check: str) -> str:
    verdict = report.verdict_of(check)
    return f"invalid: {report.found[check]:,}" if verdict == "invalid" else verdict


def _by_role(report: Report) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for end, count in report.ends.items():
        role, _, moment = end.partition(" ")
        found.setdefault(role, Counter())[moment] += count
    return found


def _moments(count: Counter[str]) -> str:
    return ", ".join(f"{moment} {number}" for moment, number in sorted(count.items()))


def _broker(wish: Wish) -> str:
    if wish.broker == "kafka":
        return f"Apache Kafka with {wish.nodes} node{'s' if wish.nodes > 1 else ''}"
    return "the embedded broker" if wish.broker == "embedded" else "a Kafka that ran elsewhere"


def _long(report: Report) -> str:
    return f"{report.figures['seconds']:,.0f} s"


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
