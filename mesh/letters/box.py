"""The dead letters of one product's topic: shown, rehearsed, replayed.

A letter goes back where it failed. What a group's handler could not take goes to that group alone, by its
retry topic. What a publisher set aside, or a group without a retry topic, goes onto the product's topic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from mesh.decoding import Batch, Decoder
from mesh.errors import EventError, UsageError
from mesh.interfaces import BrokerAdmin, Message
from mesh.letters.choice import Choice
from mesh.letters.letter import Letter, letter_of
from mesh.letters.marks import Marks
from mesh.letters.replay import Landing, Replay, Replayed
from mesh.letters.target import Target, group_target, product_target
from mesh.port import OutputPort

ALL = Choice()
MARKS = {"cleanup.policy": "compact"}


class LetterBox:
    """Reads what is there now. `read` gives nothing for a topic that is not there."""

    def __init__(
        self,
        port: OutputPort,
        decoder: Decoder,
        broker: BrokerAdmin,
        read: Callable[[str], Iterable[Message] | None],
        opened: Callable[[str], Landing],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._port = port
        self._decoder = decoder
        self._broker = broker
        self._read = read
        self._opened = opened
        self._clock = clock
        self._product = product_target(port.topic)

    def letters(self, choice: Choice = ALL) -> Iterator[Letter]:
        """The letters that are meant, oldest first."""
        found = self._read(self._port.dead_letters) or ()
        return (letter for letter in (letter_of(m, self._port.topic) for m in found) if choice.fits(letter))

    def gone_back(self, letters: Iterable[Letter]) -> frozenset[int]:
        """The numbers of those letters that went back."""
        known = list(letters)
        marks, _ = self._marks(known)
        return frozenset(letter.number for letter in known if letter in marks)

    def decoded(self, letter: Letter) -> tuple[Batch, EventError | None]:
        """The event as the contract reads it now, or why it cannot be read."""
        batch, bad = self._decoder.decode([letter.event])
        return batch, bad[0][1] if bad else None

    def rehearse(self, choice: Choice, onto_product: bool = False) -> dict[Target, Replayed]:
        """What `replay` would do now; nothing is sent."""
        return self._replayed(list(self.letters(choice)), onto_product, None)

    def replay(self, choice: Choice, onto_product: bool = False) -> dict[Target, Replayed]:
        """Send the chosen letters back, each once: where each failed, or all onto the product's topic.

        Raises MeshError (MESH-E092) when another replay of this topic began meanwhile.
        """
        letters = list(self.letters(choice))
        self._broker.create_topic(self._product.marks, 1, MARKS)
        # Opened before the marks are read: from here on nobody else adds any.
        with closing(self._opened(f"mesh.replay.{self._port.dead_letters}")) as landing:
            return self._replayed(letters, onto_product, landing)

    def _replayed(
        self, letters: list[Letter], onto_product: bool, landing: Landing | None
    ) -> dict[Target, Replayed]:
        marks, groups = self._marks(letters)
        by_target: dict[Target, list[Letter]] = {}
        for letter in letters:
            back = not onto_product and not letter.from_publisher and letter.group in groups
            target = groups[letter.group] if back else self._product
            by_target.setdefault(target, []).append(letter)
        now_ms = int(self._clock() * 1000)
        return {
            target: Replay(self._decoder, marks, target, landing, now_ms).run(chosen)
            for target, chosen in by_target.items()
        }

    def _marks(self, letters: Iterable[Letter]) -> tuple[Marks, dict[str, Target]]:
        """Every mark of these letters, and the groups among them that have a retry topic."""
        marks = Marks(self._read(self._product.marks) or ())
        groups: dict[str, Target] = {}
        for group in sorted({letter.group for letter in letters if not letter.from_publisher}):
            try:
                target = group_target(group, self._port.topic)
            except UsageError:
                continue  # of a group with such a name nobody can have made a retry topic
            if (found := self._read(target.marks)) is not None:
                groups[group] = target
                marks.learn(found)
        return marks, groups
