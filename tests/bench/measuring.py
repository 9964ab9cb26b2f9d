"""Measuring side by side: contenders take turns, so that a machine that slows down slows all of them."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing: events per second, seconds or megabytes, with what it is compared to."""

    group: str
    name: str
    value: float
    unit: str
    rounds: tuple[float, ...]
    against: str = ""
    ratio: float | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work: answers with the seconds that `count` events took."""

    name: str
    count: int
    work: Callable[[], float]


def clocked(work: Callable[[], object]) -> Callable[[], float]:
    """The work, answering with its seconds."""

    def seconds() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return seconds


def in_turns(group: str, contenders: Sequence[Contender], rounds: int = ROUNDS) -> dict[str, Figure]:
    """Events per second of each, by name; every round is one turn of everybody."""
    found: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            left_alone()
            value = contender.count / contender.work()
            found[contender.name].append(value)
            print(
                f"{group}, round {number + 1}: {contender.name} {value:,.0f}/s", file=sys.stderr, flush=True
            )
    return {
        name: Figure(group, name, statistics.median(values), "/s", tuple(round(value) for value in values))
        for name, values in found.items()
    }


def left_alone() -> None:
    """What the bench holds by now is no contender's garbage to look through: 200,000 orders take 0.2 s."""
    gc.collect()
    gc.freeze()


def duration(group: str, name: str, work: Callable[[], object], target: str, rounds: int = ROUNDS) -> Figure:
    """Seconds that `work` takes."""
    found = [clocked(work)() for _ in range(rounds)]
    return Figure(
        group, name, statistics.median(found), "s", tuple(round(v, 3) for v in found), target=target
    )


def compared(figure: Figure, other: Figure, target: str) -> Figure:
    """The same figure beside another of this run: the median of the ratios of their rounds."""
    pairs = zip(figure.rounds, other.rounds, strict=False)
    ratio = statistics.median(one / two for one, two in pairs)
    return replace(figure, against=other.name, ratio=ratio, target=target)


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {platform.system()}"
    )


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table for the docs."""
    lines = ["| what | median | beside | ratio | target |", "|---|---:|---|---:|---|"]
    for f in figures:
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        lines.append(f"| {f.group}: {f.name} | {_shown(f)} | {f.against} | {ratio} | {f.target} |")
    rounds = sorted({len(f.rounds) for f in figures})
    said = " or ".join(str(count) for count in rounds)
    return (
        "\n".join(lines)
        + f"\n\nMedian of {said} rounds in one run on {machine()}; broker on the same machine.\n"
    )


def _shown(figure: Figure) -> str:
    if figure.unit == "s":
        return f"{figure.value:.2f} s" if figure.value >= 0.1 else f"{figure.value * 1000:.2f} ms"
    return f"{figure.value:,.0f}{figure.unit if figure.unit == '/s' else ' ' + figure.unit}"


def keep(group: str, figures: Sequence[Figure], root: Path) -> None:
    """The group's figures into bench.json, and its table into every page that has its marks."""
    file = root / "bench.json"
    kept: Mapping[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    measured = {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
    file.write_text(json.dumps({**kept, group: measured}, indent=2) + "\n")
    for page in (root / "README.md", root / "docs" / "benchmarks.md"):
        text = page.read_text() if page.exists() else ""
        before, start, rest = text.partition(f"<!-- {group}:start -->")
        _, end, after = rest.partition(f"<!-- {group}:end -->")
        if start and end:
            page.write_text(f"{before}{start}\n{table(figures)}{end}{after}")
