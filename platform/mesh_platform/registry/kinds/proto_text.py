"""The words of a `.proto` file: counted and measured before a parser sees them, and spelled one way.

White space never makes another schema. Comments are kept, each on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh import limits
from mesh.schema.refusal import OVER_BUDGET, refuse
from mesh_platform.registry.kinds.refusal import NOT_PROTOBUF

#: What the parser reads in well under a second.
MOST_WORDS: Final = 10_000
AS_TEXT: Final = "send the .proto file as text: serialised descriptors are not read"
_WORD: Final = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+)
    |(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>0[xX][0-9a-fA-F]+\b|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\b|[0-9]+\.?)
    |(?P<name>\.?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<mark>[{}\[\]()<>=;,:/.+-])""",
    re.VERBOSE | re.DOTALL,
)
_TIGHT_BEFORE: Final = {";", ",", ")", "]", ">", "<", ":", "/", "."}
_TIGHT_AFTER: Final = {"(", "[", "<", "/", ".", "-", "+"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text: of which kind, spelled how, beginning where."""

    kind: str
    spelled: str
    start: int


def words_of(text: str) -> list[Word]:
    """The words of a text, comments among them; raises SchemaError when it is none, too long or too deep."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        refuse(NOT_PROTOBUF, "$", "the schema holds a lone surrogate, which UTF-8 cannot carry")
    if size > limits.SCHEMA_BYTES:
        refuse(OVER_BUDGET, "$", f"the schema is larger than {limits.SCHEMA_BYTES:,} bytes")
    words = list(_split(text))
    depth = 0
    for word in words:
        if word.kind == "mark":
            depth += (word.spelled in "{[(<") - (word.spelled in "}])>")
            if depth > limits.SCHEMA_DEPTH:
                refuse(OVER_BUDGET, "$", f"the schema is nested deeper than {limits.SCHEMA_DEPTH} levels")
        elif word.kind in ("name", "number") and len(word.spelled) > limits.NAME_LENGTH:
            refuse(OVER_BUDGET, "$", f"a {word.kind} is longer than {limits.NAME_LENGTH} characters")
    return words


def _split(text: str) -> Iterator[Word]:
    place = count = 0
    while place < len(text):
        found = _WORD.match(text, place)
        if found is None:
            what = f"the schema is not Protobuf: nothing begins with {text[place : place + 10]!r}"
            refuse(NOT_PROTOBUF, place_of(text, place), what, fix=AS_TEXT)
        place = found.end()
        kind = str(found.lastgroup)
        if kind != "space":
            count += 1
            if count > MOST_WORDS:
                refuse(OVER_BUDGET, "$", f"the schema has more than {MOST_WORDS:,} words")
            yield Word(kind, found[0], found.start())


def spelled(words: Sequence[Word]) -> str:
    """The words in one layout: a statement or comment on each line, two spaces for every brace."""
    lines: list[str] = []
    line = ""
    depth = 0
    for index, word in enumerate(words):
        mark = word.spelled if word.kind == "mark" else ""
        if mark == "}" or word.kind == "comment":
            lines += _indented(line, depth)
            line = ""
        if mark == "}":
            depth = max(0, depth - 1)
        line = _joined(line, word)
        if mark == "}" and index + 1 < len(words) and words[index + 1].spelled in (";", ",", "]"):
            continue
        if mark in ("{", "}", ";") or word.kind == "comment":
            lines += _indented(line, depth)
            line = ""
        depth += mark == "{"
    return "\n".join([*lines, *_indented(line, depth), ""])


def _joined(line: str, word: Word) -> str:
    after = line[-1:]
    tight = not line or word.spelled in _TIGHT_BEFORE or after in _TIGHT_AFTER
    reaching_in = after == ")" and word.spelled.startswith(".")
    return line + word.spelled.rstrip() if tight or reaching_in else f"{line} {word.spelled.rstrip()}"


def _indented(line: str, depth: int) -> list[str]:
    return [f"{'  ' * depth}{line}"] if line else []


def place_of(text: str, offset: int) -> str:
    """Where an offset is, for people."""
    return f"line {text.count(chr(10), 0, offset) + 1}, column {offset - text.rfind(chr(10), 0, offset)}"
