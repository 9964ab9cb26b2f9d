"""Makers of values: each draws valid values of one place, and different ones when they must not repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from random import Random
from typing import Any, Final, Protocol

from mesh.fake.grid import Grid, between

Holds = Callable[[Any], bool]
Make = Callable[[Random], str]
TRIES: Final = 400  #: draws before a place counts as one without values


class Exhausted(Exception):
    """No further value keeps the rules."""


class Maker(Protocol):
    """Draws values that keep their rules; both raise Exhausted when there is none."""

    capacity: int | None  #: how many different values there are; None for more than anybody asks for

    def draw(self, rng: Random) -> Any:
        """One value."""

    def distinct(self, rng: Random) -> Iterator[Any]:
        """Values that differ from each other, as long as there are some."""


class Chosen:
    """One of some values; each as likely as often it stands in `weighted`."""

    def __init__(self, values: Sequence[Any], weighted: Sequence[Any] = ()) -> None:
        self._values = list(dict.fromkeys(values))
        self._drawn = [*self._values, *weighted]
        self.capacity: int | None = len(self._values)

    def draw(self, rng: Random) -> Any:
        """One value."""
        if not self._drawn:
            raise Exhausted
        return rng.choice(self._drawn)

    def distinct(self, rng: Random) -> Iterator[Any]:
        """All values, each once, in their order."""
        del rng
        return iter(self._values)


class Stepped:
    """A value of a grid, near the examples when there are some."""

    def __init__(self, grid: Grid, holds: Holds, examples: Sequence[Any] = ()) -> None:
        self.grid = grid
        self._holds = None if grid.exact else holds
        self.examples = [step for step in map(grid.step_of, examples) if grid.low <= step <= grid.high]
        self._step = grid.around(self.examples) if self.examples else lambda rng: between(rng, *grid.window)
        self.capacity: int | None = grid.size

    def draw(self, rng: Random) -> Any:
        """One value."""
        if self._holds is None:
            return self.grid.value_at(self._step(rng))
        for _ in range(TRIES):
            value = self.grid.value_at(self._step(rng))
            if self._holds(value):
                return value
        raise Exhausted

    def distinct(self, rng: Random) -> Iterator[Any]:
        """Values in a row, from a place that the seed decides."""
        grid = self.grid
        start = self._step(rng) - grid.low
        for count in range(grid.size):
            value = grid.value_at(grid.low + (start + count) % grid.size)
            if self._holds is None or self._holds(value):
                yield value


class Written:
    """Text from generators; half of what is drawn are the examples.

    The first generator that holds makes what is drawn; the last one what must not repeat.
    """

    capacity: int | None = None

    def __init__(
        self, makes: Sequence[Callable[[Random], str]], holds: Holds, examples: Sequence[str]
    ) -> None:
        self._makes = makes
        self._holds = holds
        self._examples = examples

    def draw(self, rng: Random) -> Any:
        """One text."""
        if self._examples and (not self._makes or rng.random() < 0.5):
            return rng.choice(self._examples)
        try:
            return self._made(rng, self._makes)
        except Exhausted:
            if not self._examples:
                raise
            self._makes = ()  # nothing but the examples keeps the rules
            return rng.choice(self._examples)

    def distinct(self, rng: Random) -> Iterator[Any]:
        """The examples, then others."""
        makes = self._makes[::-1]
        made = different(lambda: self._made(rng, makes))
        return chain(dict.fromkeys(self._examples), (text for text in made if text not in self._examples))

    def _made(self, rng: Random, makes: Sequence[Make]) -> str:
        for _ in range(TRIES):
            for make in makes:
                text = make(rng)
                if self._holds(text):
                    return text
        raise Exhausted


class Drawn:
    """Values of a plain function of a generator of random numbers."""

    def __init__(self, make: Callable[[Random], Any], holds: Holds, capacity: int | None = None) -> None:
        self._make = make
        self._holds = holds
        self.capacity = capacity

    def draw(self, rng: Random) -> Any:
        """One value."""
        for _ in range(TRIES):
            value = self._make(rng)
            if self._holds(value):
                return value
        raise Exhausted

    def distinct(self, rng: Random) -> Iterator[Any]:
        """Values that differ, by their text."""
        return different(lambda: self.draw(rng))


def different(draw: Callable[[], Any]) -> Iterator[Any]:
    """Drawn values without repeats, until many draws bring nothing new."""
    seen: set[Any] = set()
    repeated = 0
    while repeated < TRIES:
        try:
            value = draw()
        except Exhausted:
            return
        mark = value if isinstance(value, str | int | float) else repr(value)
        repeated = repeated + 1 if mark in seen else 0
        if not repeated:
            seen.add(mark)
            yield value


def first(count: int, values: Iterable[Any]) -> list[Any]:
    """The first `count` values; raises Exhausted when there are fewer."""
    taken = list(islice(values, count))
    if len(taken) < count:
        raise Exhausted
    return taken
