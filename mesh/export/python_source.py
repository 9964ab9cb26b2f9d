"""Python source from values, never from text: literals are escaped, names are checked, lines are short.

Laid out as formatters lay it out: what does not fit on a line stands one part per line, with a last comma.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 88
_INDENT: Final = "    "
_WORDS = re.compile(r"\S*\s*")


@dataclass(frozen=True, slots=True)
class Bracketed:
    """Parts between brackets: `Field(` parts `)`."""

    opening: str
    parts: Sequence[Source]
    closing: str


@dataclass(frozen=True, slots=True)
class Named:
    """A keyword argument."""

    name: str
    value: Source


@dataclass(frozen=True, slots=True)
class Text:
    """A text literal; a long one is written in several lines."""

    value: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Types joined by `|`."""

    parts: Sequence[Source]


Source = str | Bracketed | Named | Text | Joined


def literal(value: Any) -> Source:
    """Plain data as Python writes it."""
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, list | tuple):
        return Bracketed("[", [literal(item) for item in value], "]")
    if isinstance(value, dict):
        pairs: list[Source] = [f"{quoted(str(key))}: {flat(literal(item))}" for key, item in value.items()]
        return Bracketed("{", pairs, "}")
    return repr(value)


def quoted(text: str) -> str:
    """A text literal on one line, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join("\\" + char if char == quote else _shown(char) for char in text) + quote


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    return char if char.isprintable() else repr(char)[1:-1]


def flat(source: Source) -> str:
    """The source on one line."""
    match source:
        case Text(value):
            return quoted(value)
        case Named(name, value):
            return f"{name}={flat(value)}"
        case Joined(parts):
            return " | ".join(map(flat, parts))
        case Bracketed(opening, parts, closing):
            return opening + ", ".join(map(flat, parts)) + closing
    return source


def laid_out(before: str, source: Source, after: str, depth: int) -> list[str]:
    """`before`, the source and `after` as lines at an indentation."""
    margin = _INDENT * depth
    line = f"{margin}{before}{flat(source)}{after}"
    if len(line) <= WIDTH:
        return [line]
    match source:
        case Bracketed(opening, parts, closing) if parts:
            lines = [f"{margin}{before}{opening}"]
            for part in parts:
                lines += laid_out("", part, ",", depth + 1)
            return [*lines, f"{margin}{closing}{after}"]
        case Named(name, value):
            return laid_out(f"{before}{name}=", value, after, depth)
        case Text(value):
            pieces = list(_pieces(value, WIDTH - len(margin) - len(_INDENT)))
            if pieces:
                inside = [f"{margin}{_INDENT}{piece}" for piece in pieces]
                return [f"{margin}{before}(", *inside, f"{margin}){after}"]
    return [line]


def _pieces(text: str, width: int) -> list[str]:
    """Literals that joined are the text, none much longer than the width."""
    found: list[str] = []
    piece = ""
    for word in _WORDS.findall(text):
        if piece and len(quoted(piece + word)) > width:
            found.append(quoted(piece))
            piece = ""
        piece += word
    return [*found, quoted(piece)] if piece else found


def docstring(text: str, depth: int) -> list[str]:
    """A docstring whose lines fit; its words are the text's."""
    margin = _INDENT * depth
    safe = "".join(char if char == "\n" else _shown(char) for char in text.strip())
    if safe.endswith('"'):
        safe = safe[:-1] + '\\"'
    safe = safe.replace('"""', '\\"\\"\\"')
    lines: list[str] = []
    for line in safe.split("\n"):
        lines += _wrapped(line.rstrip(), WIDTH - len(margin) - 6)
    if len(lines) == 1:
        return [f'{margin}"""{lines[0]}"""']
    rest = [f"{margin}{line}".rstrip() for line in lines[1:]]
    return [f'{margin}"""{lines[0]}', *rest, f'{margin}"""']


def _wrapped(line: str, width: int) -> list[str]:
    lines: list[str] = []
    rest = line
    while len(rest) > width and (cut := rest.rfind(" ", 1, width)) > 0:
        lines.append(rest[:cut].rstrip())
        rest = rest[cut + 1 :]
    return [*lines, rest]


def identifier(text: str) -> str:
    """A legal name as close to the text as can be."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name
