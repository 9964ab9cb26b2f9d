"""How the demo speaks: chapters and progress on stderr, bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mesh.cli.output import note, paint

Advance = Callable[[int], None]


class Voice:
    """Tells the story, with the seconds since it began."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._chapter = 0

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self._began

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self._chapter += 1
        clock = paint(f"{self.seconds:5.1f} s", "dim", sys.stderr)
        note(f"\n{clock}  {paint(f'{self._chapter}. {title}', 'bold', sys.stderr)}")

    def say(self, text: str) -> None:
        """A fact of it."""
        note(f"         {text}")

    def good(self, text: str) -> None:
        """Something that holds."""
        note(f"       {paint('✓', 'green', sys.stderr)} {text}")

    def bad(self, text: str) -> None:
        """Something that does not."""
        note(f"       {paint('✗', 'red', sys.stderr)} {text}")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """A bar while something long runs; call what it yields with each further step."""
        if not sys.stderr.isatty():
            yield lambda _count: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("        {task.description:28}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(label, total=total)
            yield lambda count: bars.advance(task, count)
