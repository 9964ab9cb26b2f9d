"""Verdict: which checks a campaign needs, what they find, and which of them had nothing to go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesh_platform.chaos import checks, sinks
from mesh_platform.chaos.checks import Check, History
from mesh_platform.chaos.final import Final
from mesh_platform.chaos.plan import Wish
from mesh_platform.chaos.queue import total_queue
from mesh_platform.chaos.report import Report

LOG_CHECKS: Sequence[Check] = (
    checks.lost,
    checks.unexpected,
    checks.duplicated,
    checks.inconsistent_offsets,
    checks.inverted_order,
    checks.split_key,
    checks.unfinished,
)
STALLED = "stalled"


def judge(report: Report, wish: Wish, history: History, final: Final, unread: str = "") -> None:
    """Make every check, and say of those that cannot be made why; `unread` is why nothing could be read."""
    for line in history:
        report.said[f"{line.f} {line.type}"] += len(line.vs) or 1
    queue = total_queue(history, final)
    report.acknowledged = queue.acknowledged
    report.figures |= queue.figures()
    for name, sink in final.sinks.items():
        report.figures[f"effects of the {name}"] = len(sink.effects)
    readers = bool(wish.names["consumer"] or wish.names["pipeline"])
    made = [*LOG_CHECKS, *(sinks.CHECKS if readers else ())]
    report.checks = (*(check.__name__ for check in made), *([STALLED] if readers else []))
    report.unknown = dict(_unmade(report, wish, final))
    if unread:
        report.unknown |= {check.__name__: unread for check in made}
    else:
        report.findings = checks.verify(history, final, made)


def _unmade(report: Report, wish: Wish, final: Final) -> Iterator[tuple[str, str]]:
    if not report.acknowledged:
        yield from ((check.__name__, "nothing was acknowledged") for check in LOG_CHECKS)
    for name, sink in final.sinks.items():
        if not sink.effects:
            yield from ((check.__name__, f"the {name} had no effect") for check in sinks.CHECKS)
    for role, names in _killed(wish).items():
        if not any(end.startswith(role) for end in report.ends):
            yield f"kills of a {role}", f"{', '.join(names)} never died"


def _killed(wish: Wish) -> Mapping[str, list[str]]:
    names = {role: found for role, found in wish.names.items() if found}
    return names if wish.broker == "external" else {**names, "node": ["the broker"]}
