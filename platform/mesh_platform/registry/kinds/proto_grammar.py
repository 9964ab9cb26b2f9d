"""A `.proto` file's grammar: the tree of a text that keeps to it, or the first place that does not."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from mesh.schema.refusal import OVER_BUDGET, refuse
from mesh_platform.registry.kinds.proto_text import AS_TEXT, Word, place_of
from mesh_platform.registry.kinds.refusal import NOT_PROTOBUF

if TYPE_CHECKING:
    from antlr4 import Lexer, Parser
    from proto_schema_parser import ast

_BASED: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]+")


def file_of(text: str, words: Sequence[Word]) -> ast.File:
    """The tree of `text`, whose words are `words`; raises SchemaError MESH-A027 when it breaks the grammar.

    The parser sees no comments, which take it minutes, and no numbers in base 8 or 16, which it cannot read.
    """
    from proto_schema_parser.parser import Parser

    line = _Line([word for word in words if word.kind != "comment"])
    strict = _strict(lambda column: place_of(text, line.place(column, len(text))))
    try:
        return Parser(setup_lexer=strict, setup_parser=strict).parse(line.text)
    except RecursionError:
        refuse(OVER_BUDGET, "$", "the schema is nested too deep to be read")
    except (ValueError, AttributeError) as error:
        # The parser reads numbers as it goes: one that Python cannot read is no number of Protobuf's.
        refuse(NOT_PROTOBUF, "$", f"the schema is not Protobuf: {str(error)[:80]}", fix=AS_TEXT)


class _Line:
    """Words on one line, and where each stood before."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._columns: list[int] = []
        parts: list[str] = []
        column = 0
        for word in words:
            self._columns.append(column)
            # The parser takes `- 1` for two things, and `-1` for a number.
            part = word.spelled if word.spelled in ("-", "+") else f"{_in_base_ten(word)} "
            parts.append(part)
            column += len(part)
        self.text = "".join(parts)

    def place(self, column: int, end: int) -> int:
        """The offset in the text of what stands at a column of the line; `end` behind the last word."""
        index = bisect_right(self._columns, column) - 1
        return self._words[index].start if column < len(self.text) - 1 else end


def _in_base_ten(word: Word) -> str:
    if word.kind != "number" or not _BASED.fullmatch(word.spelled):
        return word.spelled
    return str(int(word.spelled, 16 if word.spelled[1] in "xX" else 8))


def _strict(place: Callable[[int], str]) -> Callable[[Lexer | Parser], None]:
    """A parser of ANTLR's mends what it can and prints what it cannot; this one stops."""
    from antlr4.error.ErrorListener import ErrorListener

    class Stop(ErrorListener):  # type: ignore[misc]
        def syntaxError(self, *problem: object) -> NoReturn:  # noqa: N802
            column, message = problem[3:5]
            assert isinstance(column, int)
            what = f"the schema is not Protobuf: {str(message)[:120]}"
            refuse(NOT_PROTOBUF, place(column), what, fix=AS_TEXT)

    def set_up(part: Lexer | Parser) -> None:
        part.removeErrorListeners()
        part.addErrorListener(Stop())

    return set_up
