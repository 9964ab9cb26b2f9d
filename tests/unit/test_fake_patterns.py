"""Text made from patterns: RE2 finds the pattern in every one of them."""

from __future__ import annotations

from random import Random

import pytest
import re2

from mesh.fake.patterns import Unreadable, text_of

PATTERNS = (
    r"^[0-9]{4}-[0-9]{2}/[0-9A-Z]{2}/[1-9][0-9]{0,3}$",
    r"^(?i:ab|c)+\d{2,}[^a-z]?$",
    r"[[:alpha:]]+\.\w*",
    r"^\p{Lu}\pL+$",
    r"^a{,2}$",
    r"(?P<x>a|b)*?$",
    r"^[\]a-]{3}[^\d]$",
    r"\Qa.b\E\x41\x{42}",
    r"^[]a]+$",
    r"^(?:[A-Z]{2}|)$",
    r"[^[:digit:]]{4}",
    r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$",
    r"a||b",
    r"^\S+@\S+\.[a-z]{2,}$",
    r"(?i)^hello\tworld$",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_pattern_is_found_in_every_text(pattern: str) -> None:
    made, rng = text_of(pattern), Random(1)

    assert all(re2.search(pattern, made(rng, 8)) for _ in range(100))


def test_repetitions_without_end_reach_as_far_as_asked() -> None:
    made, rng = text_of("^[a-z]*$"), Random(1)

    assert max(len(made(rng, 40)) for _ in range(300)) == 40


@pytest.mark.parametrize("pattern", [r"\p{Greek}", r"\C", "a)"])
def test_a_pattern_beyond_the_regular_part_is_said_to_be(pattern: str) -> None:
    with pytest.raises(Unreadable):
        text_of(pattern)
