"""YAML read with suspicion: what is refused, how scalars are read, and where every node stands."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest

from mesh import limits
from mesh.contract.yaml import Document, plain, read
from mesh.errors import DeclarationError, Location


def data(text: str | bytes) -> Any:
    return read(text if isinstance(text, bytes) else text.encode(), "a.yaml").data


def refusal(text: str | bytes) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        data(text)
    return caught.value


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        pytest.param(BOMB, "MESH-C014", "a.yaml:2:8", id="alias bomb"),
        pytest.param("base: &b {a: 1}\nc:\n  <<: *b\n", "MESH-C014", "a.yaml:3:7", id="merge of an alias"),
        pytest.param("[" * 100_000, "MESH-C016", "a.yaml:1:65", id="100,000 brackets"),
        pytest.param("{" * 100_000, "MESH-C017", "a.yaml:1:2", id="100,000 braces"),
        pytest.param("{a: " * 100_000, "MESH-C016", "a.yaml:1:257", id="100,000 mappings"),
        pytest.param("- " * 100_000, "MESH-C016", "a.yaml:1:129", id="100,000 dashes"),
        pytest.param("a: 1\nb: \0", "MESH-C012", "a.yaml:2:4", id="NUL"),
        pytest.param("a: 1\nb: \x1b[0m", "MESH-C012", "a.yaml:2:4", id="escape character"),
        pytest.param("a: 1\n".encode("utf-16"), "MESH-C011", "a.yaml:1:1", id="UTF-16"),
        pytest.param(b"a: 1\nb: \xff", "MESH-C011", "a.yaml:2:1", id="not UTF-8"),
        pytest.param("a: 1\nb: 2\na: 3\n", "MESH-C018", "a.yaml:3:1", id="a key twice"),
        pytest.param("a: 1\n'a': 3\n", "MESH-C018", "a.yaml:2:1", id="a key twice, quoted"),
        pytest.param("a: {b: {c: 1, c: 2}}", "MESH-C018", "a.yaml:1:15", id="a key twice, deep"),
        pytest.param("a: 1\n---\nb: 2\n", "MESH-C015", "a.yaml:2:1", id="two documents"),
        pytest.param("a: 1\n...\n---\n", "MESH-C015", "a.yaml:3:1", id="an empty second document"),
        pytest.param("? [1, 2]\n: 3\n", "MESH-C017", "a.yaml:1:3", id="a list as key"),
        pytest.param("? {a: 1}\n: 3\n", "MESH-C017", "a.yaml:1:3", id="a mapping as key"),
        pytest.param("a: !!python/object:os.system {}", "MESH-C019", "a.yaml:1:4", id="Python object"),
        pytest.param("!!python/object/apply:os.system [ls]", "MESH-C019", "a.yaml:1:1", id="Python call"),
        pytest.param("a: !!python/name:os.system ''", "MESH-C019", "a.yaml:1:4", id="Python name"),
        pytest.param(
            "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:os x", "MESH-C019", "a.yaml:3:4", id="%TAG"
        ),
        pytest.param("a: !mine {b: 1}", "MESH-C019", "a.yaml:1:4", id="a tag of one's own"),
        pytest.param("a: !!str 3", "MESH-C019", "a.yaml:1:4", id="a type forced by a tag"),
        pytest.param("a: [1, 2", "MESH-C012", "a.yaml:2:1", id="an open bracket"),
        pytest.param("a: b: c", "MESH-C012", "a.yaml:1:5", id="two colons"),
        pytest.param("a:\n\t- 1", "MESH-C012", "a.yaml:2:1", id="a tab"),
        pytest.param('a: "\\ud800"', "MESH-C012", "a.yaml:1:7", id="half a surrogate pair"),
        pytest.param("%YAML 9.0\n---\na: 1", "MESH-C012", "a.yaml:1:1", id="another YAML"),
    ],
)
def test_hostile_yaml_is_refused_with_its_code_and_place(text: str | bytes, code: str, place: str) -> None:
    error = refusal(text)
    assert (error.error_code, str(error.where)) == (code, place)


@pytest.mark.parametrize(
    "text", [BOMB, "[" * 100_000, "a: \0", "a: 1\na: 2", "a: !x 1", "a: 1\n---\n", "a: [", b"\xff"]
)
def test_every_refusal_says_why_and_what_to_do(text: str | bytes) -> None:
    error = refusal(text)
    assert error.what
    assert error.why
    assert error.fix


@pytest.mark.parametrize(
    "opening", ["[", "{", "- ", "? ", "a: {", "'", '"', "&a ", "!", "|\n", "#", "%", "\n"]
)
def test_a_mebibyte_of_any_opening_is_answered_within_a_second(opening: str) -> None:
    text = (opening * limits.CONTRACT_BYTES)[: limits.CONTRACT_BYTES]
    started = time.perf_counter()
    with suppress(DeclarationError):
        data(text)
    assert time.perf_counter() - started < 1.0


def padded(size: int) -> str:
    return "a: 1\n#".ljust(size, "x")


@pytest.mark.parametrize("size", [limits.CONTRACT_BYTES - 1, limits.CONTRACT_BYTES])
def test_a_file_up_to_the_limit_is_read(size: int) -> None:
    assert data(padded(size)) == {"a": 1}


def test_a_file_one_byte_over_the_limit_is_refused_before_parsing() -> None:
    assert refusal(padded(limits.CONTRACT_BYTES + 1)).error_code == "MESH-C010"


def test_a_line_may_be_as_long_as_the_file() -> None:
    text = "a: {b: '" + "x" * (limits.CONTRACT_BYTES - 20) + "', c: 1}"
    document = read(text.encode(), "a.yaml")
    assert document.at("a", "c") == Location("a.yaml", 1, len(text) - 4)
    assert document.at("a", "b") == Location("a.yaml", 1, 5)


@pytest.mark.parametrize("text", ["a: 1\t# one", "a:\t1", 'a: "1\t2"', "a: |\n  1\t2\n"])
def test_a_tab_that_indents_nothing_does_no_harm(text: str) -> None:
    assert str(data(text)["a"]).startswith("1")


def test_a_byte_order_mark_inside_is_no_beginning() -> None:
    assert data("a: x\ufeffy")["a"] == "x\ufeffy"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [limits.YAML_DEPTH - 1, limits.YAML_DEPTH])
def test_nesting_up_to_the_limit_is_read(depth: int) -> None:
    found = data(nested(depth))
    for _ in range(depth - 1):
        (found,) = found
    assert found == []


def test_nesting_one_deeper_than_the_limit_is_refused() -> None:
    assert refusal(nested(limits.YAML_DEPTH + 1)).error_code == "MESH-C016"


def events(count: int) -> str:
    """A list of scalars: three events open it (stream, document, list) and three close it."""
    return "[" + ",".join("x" * (count - 6)) + "]"


@pytest.mark.parametrize("count", [limits.YAML_EVENTS - 1, limits.YAML_EVENTS])
def test_as_many_nodes_as_the_limit_are_read(count: int) -> None:
    assert len(data(events(count))) == count - 6


def test_one_node_over_the_limit_is_refused() -> None:
    assert refusal(events(limits.YAML_EVENTS + 1)).error_code == "MESH-C013"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("010", 10),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5E-2", -0.015),
        ("0x1F", 31),
        ("0o17", 15),
        ("+1", 1),
        ("-7", -7),
        ("0", 0),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1.2.3", "1.2.3"),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("'1'", "1"),
        ('"1"', "1"),
        ('"null"', "null"),
        ("'true'", "true"),
        ("''", ""),
        ("|\n  1\n", "1\n"),
        (">-\n  true\n", "true"),
        ("=", "="),
        ("<<", "<<"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1" * 39, int("1" * 39)),
        ("1" * 40, "1" * 40),
        ("1" * 5_000, "1" * 5_000),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("١٢", "١٢"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_and_never_lose_a_digit(written: str, value: object) -> None:
    found = data(f"a: {written}")["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_byte_order_mark_is_dropped() -> None:
    assert read(b"\xef\xbb\xbfa: 1", "a.yaml").text == "a: 1"


def test_the_text_is_kept_byte_for_byte() -> None:
    text = "# why\r\na:   1  # one\r\n"
    assert read(text.encode(), "a.yaml").text == text


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# comments\n", "---\n", "---\n...\n", "~"])
def test_a_file_without_content_holds_nothing(text: str) -> None:
    assert data(text) is None


def test_a_merge_key_without_alias_is_a_key_like_any_other() -> None:
    assert data("<<: {a: 1}") == {"<<": {"a": 1}}


def test_an_anchor_that_nobody_uses_does_no_harm() -> None:
    assert data("a: &here 1") == {"a": 1}


@pytest.fixture(scope="module")
def document() -> Document:
    return read(b"a: 1\nlist:\n  - x\n  - {k: v, m: [7]}\ntext: |\n  long\n'q': 2\n", "a.yaml")


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 1, 1),
        (("a",), 1, 1),
        (("list",), 2, 1),
        (("list", 0), 3, 5),
        (("list", 1), 4, 5),
        (("list", 1, "k"), 4, 6),
        (("list", 1, "m"), 4, 12),
        (("list", 1, "m", 0), 4, 16),
        (("text",), 5, 1),
        (("q",), 7, 1),
    ],
)
def test_every_node_has_its_place(
    document: Document, path: tuple[str | int, ...], line: int, column: int
) -> None:
    assert document.at(*path) == Location("a.yaml", line, column)


def test_what_is_missing_stands_where_its_parent_does(document: Document) -> None:
    assert document.at("list", 1, "gone", "deeper") == document.at("list", 1)


def test_plain_data_leaves_out_what_is_null_at_every_depth() -> None:
    assert plain({"a": None, "b": [{"c": None, "d": 0}], "e": ""}) == {"b": [{"d": 0}], "e": ""}
