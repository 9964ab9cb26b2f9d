"""Differences for people: as lines for a terminal, and as Markdown for a comment or a change log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mesh.change.bump import Bump
from mesh.change.model import Change, Difference
from mesh.change.words import headline, parties, told

Paint = Callable[[str, str], str]
_COLOURS = {Bump.MAJOR: "red", Bump.MINOR: "yellow", Bump.PATCH: "green", Bump.NONE: "dim"}


def plain_words(text: str, _colour: str) -> str:
    """No colour."""
    return text


def as_text(differences: Iterable[Difference], paint: Paint = plain_words) -> Iterator[str]:
    """Lines for a terminal, the gravest change of each contract first."""
    for difference in differences:
        head = headline(difference)
        colour = "dim" if difference.enough else "red"
        yield f"{paint(difference.name, 'bold')}  {paint(head, colour)}  {paint(difference.file, 'dim')}"
        for change in difference.changes:
            yield from change_lines(change, paint)


def change_lines(change: Change, paint: Paint = plain_words) -> Iterator[str]:
    """One change and its reasons; a change out of an older record has no level."""
    level = str(change.level) if change.level else ""
    mark = paint(f"{level:5}", _COLOURS[change.level])
    yield f"  {mark}  {change.subject} {change.kind}: {_sides(change)}"
    for reason in told(change):
        yield f"         {reason.sentence} ({parties(reason.concerns)})"


def as_markdown(differences: Iterable[Difference]) -> Iterator[str]:
    """A section per contract or product."""
    for difference in differences:
        yield f"### {difference.kind} `{difference.name}`"
        yield ""
        yield f"{headline(difference)}"
        yield ""
        for change in difference.changes:
            yield f"- **{change.level}** `{_code(change.subject)}` {change.kind}: {_sides(change, '`')}"
            for reason in told(change):
                yield f"  - {_escaped(reason.sentence)} *({parties(reason.concerns)})*"
        if difference.changes:
            yield ""


def _sides(change: Change, quote: str = "") -> str:
    sides = (_code(side) if quote else side for side in (change.before, change.after))
    return " → ".join(f"{quote}{side}{quote}" if side else "—" for side in sides)


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _escaped(text: str) -> str:
    """Text that stays text: a contract's words are no markup of the page that shows them."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
