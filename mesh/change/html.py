"""Changes side by side as a fragment of HTML: by place in the contract, not by line of text; all escaped.

The classes are those of the catalog's style sheet, which knows light, dark and narrow; without it the
fragment is still a list that reads in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from mesh.change.bump import Bump
from mesh.change.model import Change, Difference, Reason
from mesh.change.words import headline, parties, told

_TAGS = {Bump.MAJOR: "tag strong", Bump.MINOR: "tag key", Bump.PATCH: "tag"}


def changes_html(changes: Iterable[Change]) -> str:
    """The changes of one contract or product as a list."""
    rows = [line for change in changes for line in _row(change)]
    return "\n".join(['<ol class="diff">', *rows, "</ol>"]) if rows else ""


def differences_html(differences: Iterable[Difference]) -> str:
    """One section per contract or product."""
    return "\n".join(line for difference in differences for line in _section(difference)) + "\n"


def _section(difference: Difference) -> Iterator[str]:
    yield '<section class="difference">'
    yield f"<h2><code>{escape(difference.name)}</code></h2>"
    yield f'<p class="quiet">{escape(headline(difference))}</p>'
    yield changes_html(difference.changes)
    yield "</section>"


def _row(change: Change) -> Iterator[str]:
    tag = f' <span class="{_TAGS[change.level]}">{change.level}</span>' if change.level in _TAGS else ""
    yield f'<li class="d-{change.kind}"><p><code>{escape(change.subject)}</code> {change.kind}{tag}</p>'
    yield f'<div class="sides"><p>{_side("del", change.before)}</p><p>{_side("ins", change.after)}</p></div>'
    if reasons := told(change):
        yield f"<ul>{''.join(map(_reason, reasons))}</ul>"
    yield "</li>"


def _side(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else '<span class="quiet">absent</span>'


def _reason(reason: Reason) -> str:
    concerned = escape(parties(reason.concerns))
    return f'<li>{escape(reason.sentence)} <span class="quiet">{concerned}</span></li>'
