"""Differences as people and pages see them: text, Markdown, HTML; of contracts, products, declarations."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.change import Bump, Change, Difference, contract_difference, differences, product_difference
from mesh.change.html import changes_html, differences_html
from mesh.change.text import as_markdown, as_text
from mesh.declaration import Declaration
from mesh.product import Product, read_product
from tests.unit.contract_kit import contract_of, contract_text, declared, field, product_text

A = field("a", required=True)
HOSTILE = "<img src=x onerror=alert(1)> `x` *b* [l](javascript:1) \"' & \n# h"


def hostile() -> Difference:
    old = contract_of([A, field("b", description="was")])
    return contract_difference(old, contract_of([A, field("b", description=HOSTILE)], version="1.0.1"))


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        assert {name for name, _ in attrs} <= {"class"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(html: str) -> Seen:
    parser = Seen()
    parser.feed(html)
    assert parser.open == []
    return parser


def test_a_fragment_shows_both_sides_and_the_reasons() -> None:
    found = seen(changes_html(contract_difference(contract_of([A, field("b")]), contract_of([A])).changes))
    assert {"del", "ins"} & found.tags == {"del"}
    for said in ("b", "removed", "major", "string, optional", "absent", "whoever reads it", "for readers"):
        assert said in found.text


def test_what_a_contract_says_is_text_and_never_markup() -> None:
    found = seen(differences_html([hostile()]))
    assert found.tags <= {"section", "h2", "code", "p", "ol", "li", "div", "span", "del", "ins", "ul"}
    assert "<img src=x onerror=alert(1)>" in found.text


def test_markdown_keeps_a_contracts_words_in_code() -> None:
    for line in as_markdown([hostile()]):
        outside = "".join(line.split("`")[::2])
        assert "<img" not in outside
        assert "[l]" not in outside
        assert "\n" not in line


def test_no_change_is_an_empty_fragment() -> None:
    assert changes_html(()) == ""


def test_a_change_without_reasons_is_shown_without_a_level() -> None:
    assert "tag" not in changes_html([Change("changed", "b", "x", "y")])


def test_text_names_the_version_that_is_needed_and_the_gravest_first() -> None:
    old, new = contract_of([A]), contract_of([A, field("b")], version="1.0.1", tags=["t"])
    head, first, *_ = as_text([contract_difference(old, new)])
    assert "1.0.0 → 1.0.1, needs 1.1.0 (a minor change)" in head
    assert first.startswith("  minor  b added: — → string, optional")


def test_that_words_are_other_words_is_not_said_again() -> None:
    assert len(list(as_text([hostile()]))) == 2


def declaration(*texts: str) -> Declaration:
    return declared(*texts)


def test_declarations_are_compared_by_name_the_gravest_first() -> None:
    old = declaration(contract_text([A]), contract_text([A, field("b")], contract_id="ops.gates.v1"))
    new = declaration(contract_text([A], tags=["t"]), contract_text([A], contract_id="ops.gates.v1"))
    assert [(d.name, str(d.level)) for d in differences(old, new)] == [
        ("ops.gates.v1", "major"),
        ("ops.flights.v1", "patch"),
    ]


def test_what_is_new_and_what_is_gone_is_told() -> None:
    old, new = declaration(contract_text([A])), declaration(contract_text([A], contract_id="ops.gates.v1"))
    heads = list(as_text(differences(old, new)))
    assert "contract is gone, was version 1.0.0 (major)" in heads[0]
    assert "new contract, version 1.0.0" in heads[1]


def test_another_comment_is_no_difference() -> None:
    text = contract_text([A])
    assert differences(declaration(text), declaration(f"# comment\n{text}")) == ()


def product(text: str) -> Product:
    return read_product(text.encode(), "p.odps.yaml")


@pytest.mark.parametrize(
    ("old", "new", "level", "said"),
    [
        (product_text(), product_text("ops.flights", "ops.flights.v1", "ops.gates.v1"), "minor", "is new"),
        (product_text("ops.flights", "ops.flights.v1", "ops.gates.v1"), product_text(), "major", "is gone"),
        (product_text(), product_text("ops.flights", "ops.flights.v2"), "major", "leads to ops.flights.v2"),
        (product_text(), product_text(reads=["fleet.aircraft.v1"]), "patch", "is new"),
        (product_text(reads=["fleet.aircraft.v1"]), product_text(), "patch", "is gone"),
        (product_text(), product_text() + "team: {name: Ops}\n", "patch", "owner was"),
        (
            product_text() + "inputPorts: [{name: i, version: 1.0.0, contractId: x.yy.v1}]\n",
            product_text() + "inputPorts: [{name: i, version: 1.0.0, contractId: x.yy.v1, customProperties: "
            "[{property: fields, value: [a]}]}]\n",
            "patch",
            "reads a now",
        ),
        (product_text(), product_text() + "tags: [t]\n", "patch", "other words"),
        (product_text(), product_text().replace("status: active", "status: retired"), "minor", "status was"),
    ],
)
def test_a_changed_product_tells_its_ports_and_people(old: str, new: str, level: str, said: str) -> None:
    found = product_difference(product(old), product(new))
    assert str(found.level) == level
    assert any(said in reason.sentence for change in found.changes for reason in change.reasons)


NAMES = ["a", "b", "key", "topic", "name", "compatibility", "tags"]


@st.composite
def properties(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return [draw(made(name)) for name in names]


@st.composite
def made(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["string", "integer", "boolean", "timestamp", "object"]))
    more: dict[str, Any] = {}
    if kind == "object":
        more["properties"] = [
            field("x", draw(st.sampled_from(["string", "date"])), required=draw(st.booleans()))
        ]
    if kind == "integer" and draw(st.booleans()):
        more["logicalTypeOptions"] = {"minimum": draw(st.integers(0, 3))}
    if draw(st.booleans()):
        more["description"] = draw(st.sampled_from(["D.", "E."]))
    if kind == "string" and draw(st.booleans()):
        more["enum"] = [{"value": value} for value in draw(st.sets(st.sampled_from("xyz"), min_size=1))]
    if draw(st.booleans()):
        more["unique"] = draw(st.booleans())
    return field(name, kind, required=draw(st.booleans()), **more)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(properties(), properties())
def test_no_difference_is_silent_and_every_one_has_its_reasons(old: Any, new: Any) -> None:
    before, after = contract_of(old), contract_of(new)
    found = contract_difference(before, after)
    assert bool(found.changes) == (before.document.data != after.document.data)
    assert all(change.reasons and change.level for change in found.changes)
    assert found.level == max((change.level for change in found.changes), default=Bump.NONE)
    assert contract_difference(before, before).changes == ()
    seen(changes_html(found.changes))
