"""Events as people look at them: a table in a terminal, a table in a notebook, one line of JSON.

Bounded, and safe to look at: what an event holds is never markup in a page nor an order to a terminal.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

#: How many rows a notebook and a printed value show, and how much of one value.
SHOWN_ROWS: Final = 20
_CELL: Final = 200
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def rows_of(events: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as dicts; a map is a dict too."""
    return list(events.to_pylist(maps_as_pydicts="strict"))


def json_line(row: Mapping[str, Any]) -> str:
    """One event as a JSON object: times in ISO 8601, bytes in Base64, NaN and infinities as texts."""
    try:
        return json.dumps(row, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_numbered(row), default=_plain, ensure_ascii=False)


def json_value(value: Any) -> Any:
    """A value as `json_line` writes it."""
    return json.loads(json_line({"value": value}))["value"]


def cell(value: Any, most: int | None = _CELL) -> str:
    """A value in at most so many characters; what a terminal would obey is spelled out."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool | int | float):
        text = json.dumps(value)
    else:
        written = json_value(value)
        text = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
    text = _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if most is None or len(text) <= most else text[: most - 1] + "…"


def text_table(events: pa.Table, *, rows: int | None = SHOWN_ROWS, width: int | None = None) -> str:
    """A table of the first rows, and a line about the others; without a width as wide as it is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="")
    for column in events.schema:
        table.add_column(Text(cell(column.name)), justify="right" if _counts(column.type) else "left")
    shown = events if rows is None else events.slice(0, rows)
    for row in _cells(shown):
        table.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=width or 100_000, color_system=None, legacy_windows=False).print(table)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join([*lines, *_more(events, shown)]) if events.num_columns else ""


def html_table(events: pa.Table, notes: Iterable[str] = (), *, rows: int | None = SHOWN_ROWS) -> str:
    """The same for a notebook, every text escaped."""
    shown = events if rows is None else events.slice(0, rows)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in events.schema.names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in _cells(shown)
    )
    below = "".join(f"<p>{html.escape(note)}</p>" for note in (*_more(events, shown), *notes))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _cells(shown: pa.Table) -> Sequence[Sequence[str]]:
    # By column: two columns of an answer may have one name.
    columns = [column.to_pylist(maps_as_pydicts="strict") for column in shown.columns]
    return [[cell(value) for value in row] for row in zip(*columns, strict=True)]


def _more(events: pa.Table, shown: pa.Table) -> list[str]:
    if shown.num_rows < events.num_rows:
        return [f"{shown.num_rows:,} of {events.num_rows:,} rows"]
    return [] if events.num_rows else ["no rows"]


def _counts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _plain(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _numbered(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {str(key): _numbered(part) for key, part in value.items()}
        case list() | tuple():
            return [_numbered(part) for part in value]
    return value
