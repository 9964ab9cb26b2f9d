"""A contract as a Markdown page; what stands in the contract is text there, never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mesh.contract.model import Contract
from mesh.export.page import Section, page_of

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def markdown(contract: Contract) -> str:
    """The Markdown page (GitHub's tables) of one contract."""
    page = page_of(contract)
    parts = [f"# {_text(page.title)}", *("\n\n".join(_section(section)) for section in page.sections)]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {_text(section.title)}"
    yield from map(_paragraph, section.paragraphs)
    if section.rows:
        rule = ["---"] * len(section.head)
        yield "\n".join(_row(cells) for cells in (section.head, rule, *map(_cells, section.rows)))


def _cells(row: Sequence[str]) -> list[str]:
    return [_text(cell) for cell in row]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _paragraph(text: str) -> str:
    # At the start of a line, these make a list, a heading or a rule.
    return re.sub(r"^([-+=])|^([0-9]+)([.)])", r"\2\\\1\3", _text(text))


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
