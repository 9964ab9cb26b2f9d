"""«Did you mean»: the known word that is nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

_LONGEST, _MOST = 80, 500


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that `word` was probably meant to be; empty when none is as near as `cutoff`."""
    if len(word) > _LONGEST:
        return ""
    words = list(islice(known, _MOST))
    by_letters = {_letters(name): name for name in words}
    if (same := by_letters.get(_letters(word))) is not None:
        return same
    near = difflib.get_close_matches(_letters(word), by_letters, n=1, cutoff=cutoff)
    return by_letters[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message: `; did you mean 'x'?`, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else ""


def same_letters(word: str, other: str) -> bool:
    """Whether two words differ in case and separators alone."""
    return _letters(word) == _letters(other) != ""


def _letters(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())
