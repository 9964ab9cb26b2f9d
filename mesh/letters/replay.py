"""Letters back to where they failed: through the contract again, and each once.

An event and the mark that it went back are one transaction, and whoever replays next fences whoever replays
still. So a replay that dies in the middle, or runs twice, lands every event once. The event keeps its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from mesh.decoding import Decoder
from mesh.errors import EventError
from mesh.event import schema_of_headers, unframe
from mesh.letters.letter import Letter
from mesh.letters.marks import Marks
from mesh.letters.target import Parcel, Target

CHUNK = 500


class Landing(Protocol):
    """Sends parcels, all or none; opening one fences every earlier one of the same name."""

    def land(self, parcels: Sequence[Parcel]) -> None:
        """Raises MeshError (MESH-E092) when another one was opened since, and UnreachableError."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Replayed:
    """What a replay did with the letters that were chosen."""

    sent: list[Letter] = field(default_factory=list)
    before: list[Letter] = field(default_factory=list)  #: they, or letters about the same event, went before
    refused: list[tuple[Letter, EventError]] = field(default_factory=list)  #: the contract does not take them

    def __iadd__(self, other: Replayed) -> Replayed:
        self.sent += other.sent
        self.before += other.before
        self.refused += other.refused
        return self


class Replay:
    """A replay to one target; without a landing nothing is sent: a rehearsal."""

    def __init__(
        self, decoder: Decoder, marks: Marks, target: Target, landing: Landing | None, now_ms: int
    ) -> None:
        self._decoder = decoder
        self._marks = marks
        self._target = target
        self._landing = landing
        self._now_ms = now_ms

    def run(self, letters: Iterable[Letter]) -> Replayed:
        """Send those back that the contract takes and that did not go before."""
        done = Replayed()
        for chunk in _chunks(letters):
            done += self._chunk(chunk)
        return done

    def _chunk(self, letters: list[Letter]) -> Replayed:
        done = Replayed()
        _, bad = self._decoder.decode([letter.event for letter in letters])
        refused = {id(event): error for event, error in bad}
        for letter in letters:
            if letter in self._marks:
                done.before.append(letter)
            elif (error := refused.get(id(letter.event)) or _no_event(letter)) is not None:
                done.refused.append((letter, error))
            else:
                self._marks.add(self._target.mark(letter))
                done.sent.append(letter)
        if self._landing is not None and done.sent:
            self._landing.land([parcel for letter in done.sent for parcel in self._parcels(letter)])
        return done

    def _parcels(self, letter: Letter) -> Iterator[Parcel]:
        mark = self._target.mark(letter)
        yield self._target.parcel(letter.event)
        yield Parcel(self._target.marks, mark.key(), mark.value(self._now_ms), ())


def _no_event(letter: Letter) -> EventError | None:
    """Why a letter holds no event at all: sent on, one without a value would delete its key."""
    try:
        if schema_of_headers(letter.event.headers()) is None or letter.event.value() is None:
            unframe(letter.event.value())
    except EventError as error:
        return error
    return None


def _chunks(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    rest = iter(letters)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
