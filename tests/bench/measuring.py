"""Measuring side by side: every figure is the median of several rounds, and all belong to one run."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

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


def rate(group: str, name: str, count: int, work: Callable[[], None], rounds: int = ROUNDS) -> Figure:
    """Events per second of `work`, which handles `count` of them."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(count / (time.perf_counter() - began))
    return Figure(group, name, statistics.median(found), "/s", tuple(round(value) for value in found))


def duration(group: str, name: str, work: Callable[[], None], target: str, rounds: int = ROUNDS) -> Figure:
    """Seconds that `work` takes."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return Figure(
        group, name, statistics.median(found), "s", tuple(round(v, 3) for v in found), target=target
    )


def compared(figure: Figure, other: Figure, target: str) -> Figure:
    """The same figure, beside another of this run."""
    facts = asdict(figure) | {"against": other.name, "ratio": figure.value / other.value, "target": target}
    return Figure(**facts)


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {platform.system()}"
    )


def table(figures: list[Figure]) -> str:
    """A Markdown table for the docs."""
    lines = ["| what | median | beside | ratio | target |", "|---|---:|---|---:|---|"]
    for f in figures:
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        lines.append(f"| {f.group}: {f.name} | {_shown(f)} | {f.against} | {ratio} | {f.target} |")
    return (
        "\n".join(lines)
        + f"\n\nMedian of {ROUNDS} rounds in one run on {machine()}; broker on the same machine.\n"
    )


def _shown(figure: Figure) -> str:
    if figure.unit == "s":
        return f"{figure.value:.2f} s" if figure.value >= 0.1 else f"{figure.value * 1000:.2f} ms"
    return f"{figure.value:,.0f}{figure.unit if figure.unit == '/s' else ' ' + figure.unit}"


def write(figures: list[Figure], root: Path) -> None:
    """bench.json, and the tables in the docs between their marks."""
    report = {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
    (root / "bench.json").write_text(json.dumps(report, indent=2) + "\n")
    write_table("bench", figures, root)


def write_table(mark: str, figures: list[Figure], root: Path) -> None:
    """The table of these figures, in every page of the docs that has the mark."""
    for file in (root / "README.md", root / "docs" / "benchmarks.md"):
        text = file.read_text() if file.exists() else ""
        before, start, rest = text.partition(f"<!-- {mark}:start -->")
        _, end, after = rest.partition(f"<!-- {mark}:end -->")
        if start and end:
            file.write_text(f"{before}{start}\n{table(figures)}{end}{after}")
