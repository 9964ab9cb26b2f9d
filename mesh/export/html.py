"""A contract as an HTML fragment: no script, no style, nothing loaded; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mesh.contract.model import Contract
from mesh.export.page import Section, page_of

_LINKED = ("https://", "http://", "mailto:")


def html(contract: Contract) -> str:
    """An `<article>` about one contract, to be put into any page."""
    page = page_of(contract)
    lines = ['<article class="contract">', f"<h1>{escape(page.title)}</h1>"]
    for section in page.sections:
        lines += _section(section)
    return "\n".join([*lines, "</article>"]) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    for paragraph in section.paragraphs:
        yield f"<p>{escape(paragraph)}</p>"
    if section.rows:
        yield "<table>"
        yield f"<thead><tr>{_cells('th', section.head)}</tr></thead>\n<tbody>"
        for row in section.rows:
            yield f"<tr>{_cells('td', row)}</tr>"
        yield "</tbody>\n</table>"
    yield "</section>"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in cells)


def _text(text: str) -> str:
    shown = escape(text)
    linked = text.startswith(_LINKED) and " " not in text
    return f'<a href="{shown}" rel="noreferrer">{shown}</a>' if linked else shown
