"""Contract to Markdown and HTML: everything a reader wants, and nothing in a contract becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from mesh.contract.model import Contract
from mesh.contract.reading import read_contract
from mesh.export.html import html
from mesh.export.markdown import markdown
from tests.unit.contract_kit import contract_of, field

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "contracts").rglob("*.odcs.yaml"))
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[x](javascript:alert(1))",
    "a|b",
    "**b**",
    "`c`",
    "# h",
    "1. one",
    "- one",
    "&lt;b&gt;",
    "~~s~~",
    "![i](x)",
    "<!-- -->",
]


class Tags(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"class", "href", "rel", "style"}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


PLAIN = {"article", "section", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "a"}


def hostile(text: str) -> Contract:
    return contract_of(
        [field("f", description=text, examples=[text], enum=[{"value": text}])],
        name=text,
        description={"purpose": text, "usage": text, "limitations": text},
        team={"name": text, "members": [{"username": text, "name": text}]},
        support=[{"channel": text, "url": text, "description": text}],
        quality=[{"name": text, "type": "text", "description": text}],
        tags=[text],
    )


def rendered(contract: Contract) -> Tags:
    return Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(contract)))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_text_in_html(text: str) -> None:
    page = Tags(html(hostile(text)))
    assert page.tags <= PLAIN
    assert page.texts.count(text) >= 8
    assert page.links == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_text_in_markdown(text: str) -> None:
    page = rendered(hostile(text))
    assert page.tags <= PLAIN
    assert "".join(page.texts).count(text) >= 8
    assert page.links == []


def test_only_web_and_mail_addresses_become_links() -> None:
    support = [
        {"channel": "a", "url": "mailto:a@example.org"},
        {"channel": "b", "url": "https://example.org/?a=1&b=2"},
        {"channel": "c", "url": "javascript:alert(1)"},
        {"channel": "d", "url": "data:text/html,x"},
    ]
    links = Tags(html(contract_of([field("f")], support=support))).links
    assert links == ["mailto:a@example.org", "https://example.org/?a=1&b=2"]


@pytest.mark.parametrize("render", [html, markdown])
@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.name.removesuffix(".odcs.yaml"))
def test_every_property_and_rule_of_an_example_is_on_the_page(file: Path, render: object) -> None:
    contract = read_contract(file.read_bytes(), str(file))
    page = Tags(html(contract)) if render is html else rendered(contract)
    texts = "\n".join(page.texts)
    wanted = [prop.name for prop in contract.properties] + [rule.name for rule in contract.quality]
    wanted += [contract.id, contract.team_name, *(member.username for member in contract.team)]
    assert [word for word in wanted if word not in texts] == []


def test_nested_properties_have_dotted_names() -> None:
    inner = field("l", "array", items={"logicalType": "object", "properties": [field("x")]})
    page = html(contract_of([field("o", "object", properties=[inner])]))
    assert "<td>o.l.x</td>" in page


def test_empty_parts_are_left_out() -> None:
    assert "Quality rules" not in html(contract_of([field("f")]))
