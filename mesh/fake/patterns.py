"""Text that a pattern finds: RE2's regular part read into generators of matching text.

What is read: literals, `.`, classes with ranges, POSIX and Perl names, groups, alternatives, every
repetition, `(?i)` and `(?s)`; anchors produce nothing. Whoever calls lets RE2 judge what comes out.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random
from typing import Final, NoReturn

from mesh.fake.grid import between

#: Makes one matching text; repetitions without an end stop after `reach`.
Text = Callable[[Random, int], str]

_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
_WORD: Final = string.ascii_letters + string.digits + "_"
_PERL: Final = {"d": string.digits, "w": _WORD, "s": " \t"}
_POSIX: Final = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "ascii": _PRINTABLE,
    "blank": " \t",
    "digit": string.digits,
    "graph": _PRINTABLE[1:],
    "lower": string.ascii_lowercase,
    "print": _PRINTABLE,
    "punct": string.punctuation,
    "space": " \t",
    "upper": string.ascii_uppercase,
    "word": _WORD,
    "xdigit": string.hexdigits,
}
_UNICODE: Final = {
    "L": string.ascii_letters + "äéøßñ",
    "Lu": string.ascii_uppercase + "ÄÉØ",
    "Ll": string.ascii_lowercase + "äéøß",
    "N": string.digits,
    "Nd": string.digits,
    "P": string.punctuation,
}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_SAMPLED: Final = 4_096  #: characters kept of one range


class Unreadable(ValueError):
    """A pattern with parts that no text can be made from."""


def text_of(pattern: str) -> Text:
    """A generator of texts in which the pattern occurs; raises Unreadable."""
    reader = _Reader(pattern)
    made = reader.alternatives()
    if not reader.at_end:
        reader.refuse("a bracket closes that was not opened")
    return made


class _Reader:
    """A recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._any_case = False

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def refuse(self, why: str) -> NoReturn:
        raise Unreadable(f"{why}, at character {self._at} of {self._pattern!r}")

    def alternatives(self) -> Text:
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        return lambda rng, reach: rng.choice(branches)(rng, reach)

    def _sequence(self) -> Text:
        parts: list[Text] = []
        while not self.at_end and self._peek() not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        if len(parts) == 1:
            return parts[0]
        return lambda rng, reach: "".join([part(rng, reach) for part in parts])

    def _atom(self) -> Text | None:
        char = self._next()
        match char:
            case "^" | "$":
                return None
            case ".":
                return _one_of(_PRINTABLE)
            case "(":
                return self._group()
            case "[":
                return _one_of(self._cased(self._class()))
            case "\\":
                return self._escape()
        return _one_of(self._cased(char))

    def _group(self) -> Text | None:
        before = self._any_case
        if self._takes("?"):
            if self._takes("P<") or self._takes("<"):
                self._until(">")
            else:
                flags = ""
                while self._peek() not in ":)":
                    flags += self._next()
                self._any_case = "i" in flags.partition("-")[0] or (before and "i" not in flags)
                if self._takes(")"):
                    return None
                self._next()
        made = self.alternatives()
        if not self._takes(")"):
            self.refuse("a group is not closed")
        self._any_case = before
        return made

    def _repeated(self, part: Text) -> Text:
        while not self.at_end:
            if self._takes("*"):
                least, most = 0, None
            elif self._takes("+"):
                least, most = 1, None
            elif self._takes("?"):
                least, most = 0, 1
            else:
                counted = self._counted()
                if counted is None:
                    return part
                least, most = counted
            self._takes("?")
            part = _repeat(part, least, most)
        return part

    def _counted(self) -> tuple[int, int | None] | None:
        end = self._pattern.find("}", self._at)
        if self._peek() != "{" or end < 0:
            return None
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if not low.isdigit() or (high and not high.isdigit()):
            return None
        self._at = end + 1
        return int(low), (int(high) if high else None) if comma else int(low)

    def _escape(self) -> Text | None:
        char = self._next()
        if char in "AzbB":
            return None
        if char == "Q":
            quoted = self._until("\\E")
            return lambda _rng, _reach: quoted
        return _one_of(self._cased(self._escaped(char)))

    def _escaped(self, char: str) -> str:
        """The characters that an escape stands for."""
        if char.lower() in _PERL:
            named = _PERL[char.lower()]
            return named if char.islower() else _without(named)
        if char in "pP":
            name = self._until("}") if self._takes("{") else self._next()
            if name not in _UNICODE:
                self.refuse(f"the class {name} is not known")
            return _UNICODE[name] if char == "p" else _without(_UNICODE[name])
        if char == "x":
            code = self._until("}") if self._takes("{") else self._next() + self._next()
            return chr(int(code, 16))
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isalnum():
            self.refuse(f"the escape \\{char} is not known")
        return char

    def _class(self) -> str:
        negated, found, first = self._takes("^"), "", True
        while first or self._peek() != "]":
            first = False
            if self._takes("[:"):
                name = self._until(":]")
                found += _POSIX.get(name) or _without(_POSIX[name.removeprefix("^")])
                continue
            low = self._member()
            if len(low) == 1 and self._peek() == "-" and self._peek(1) != "]":
                self._next()
                high = self._member()
                found += "".join(map(chr, range(ord(low), min(ord(high), ord(low) + _SAMPLED) + 1)))
            else:
                found += low
        self._next()
        return _without(found) if negated else found

    def _member(self) -> str:
        char = self._next()
        return self._escaped(self._next()) if char == "\\" else char

    def _cased(self, characters: str) -> str:
        return characters + characters.swapcase() if self._any_case else characters

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        if at >= len(self._pattern):
            self.refuse("the pattern ends too early")
        return self._pattern[at]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _takes(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _until(self, end: str) -> str:
        stop = self._pattern.find(end, self._at)
        if stop < 0:
            self.refuse(f"{end} is missing")
        text = self._pattern[self._at : stop]
        self._at = stop + len(end)
        return text


def _one_of(characters: str) -> Text:
    if not characters:
        raise Unreadable("a class of no printable character")
    if len(characters) == 1:
        return lambda _rng, _reach: characters
    return _Class(characters)


class _Class:
    """One character of a class; a repeated one is drawn at once."""

    def __init__(self, characters: str) -> None:
        self.characters = characters

    def __call__(self, rng: Random, _reach: int) -> str:
        return self.characters[between(rng, 0, len(self.characters) - 1)]


def _repeat(part: Text, least: int, most: int | None) -> Text:
    def times(rng: Random, reach: int) -> int:
        return between(rng, least, max(least, reach) if most is None else most)

    if isinstance(part, _Class):
        characters, count = part.characters, len(part.characters)
        if least == most:
            return lambda rng, _reach: "".join(
                [characters[int(draw() * count)] for draw in (rng.random,) * least]
            )
        return lambda rng, reach: "".join(
            [characters[int(draw() * count)] for draw in (rng.random,) * times(rng, reach)]
        )
    return lambda rng, reach: "".join([part(rng, reach) for _ in range(times(rng, reach))])


def _without(characters: str) -> str:
    excluded = set(characters)
    return "".join(char for char in _PRINTABLE if char not in excluded)
