"""The characters a node of a declaration takes: what a tool may replace without touching the rest."""

from __future__ import annotations

import pytest

from mesh.contract.yaml import Document, read

TEXT = """\
# héllo
a: 1   # one
"b c": 'two'
list:
  - x
  - {k: v, m: [7, 8]}

# said of text
text: |
  long
  lines
empty:
block:
  inner: yes
  # trailing

last: "é"
"""


@pytest.fixture(scope="module")
def document() -> Document:
    return read(TEXT.encode(), "a.yaml")


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        (("a",), "1"),
        (("b c",), "'two'"),
        (("list",), "- x\n  - {k: v, m: [7, 8]}"),
        (("list", 0), "x"),
        (("list", 1), "{k: v, m: [7, 8]}"),
        (("list", 1, "m", 1), "8"),
        (("text",), "|\n  long\n  lines\n"),
        (("empty",), ""),
        (("block",), "inner: yes"),
        (("last",), '"é"'),
    ],
)
def test_a_value_takes_its_own_characters_and_no_comment(
    document: Document, path: tuple[str | int, ...], taken: str
) -> None:
    span = document.span(*path)
    assert span is not None
    assert document.text[span.start : span.end] == taken


@pytest.mark.parametrize(
    ("path", "taken"), [(("a",), "a"), (("b c",), '"b c"'), (("list", 1, "m"), "m"), (("last",), "last")]
)
def test_a_key_takes_its_own_characters(document: Document, path: tuple[str | int, ...], taken: str) -> None:
    span = document.key_span(*path)
    assert span is not None
    assert document.text[span.start : span.end] == taken


@pytest.mark.parametrize("path", [("gone",), ("a", "b"), ("list", 2), ("list", "x"), ("list", -1)])
def test_what_is_not_there_takes_nothing(document: Document, path: tuple[str | int, ...]) -> None:
    assert document.span(*path) is None
    assert document.key_span(*path) is None


def test_an_item_of_a_list_has_no_key(document: Document) -> None:
    assert document.key_span("list", 0) is None


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_spans_count_characters_whatever_ends_a_line(line_end: str) -> None:
    document = read(f"a: é{line_end}b: 2{line_end}".encode(), "a.yaml")
    span = document.span("b")
    assert span is not None
    assert document.text[span.start : span.end] == "2"


@pytest.mark.parametrize("raw", [b"a: 1\n", b"\xef\xbb\xbfa: 1\r\n", b"", "# é\n".encode()])
def test_a_document_gives_its_bytes_back(raw: bytes) -> None:
    assert read(raw, "a.yaml").raw == raw
