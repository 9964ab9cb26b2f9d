"""Words, Markdown, sparklines and snippets: what the pages say, from values alone."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from mesh_platform.web import markdown, sparkline, words
from mesh_platform.web.product_view import Connection
from mesh_platform.web.snippets import snippets

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOME = Connection(bootstrap="localhost:9092", registry="http://localhost:8081")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (9_990, "10k"),
        (328_521, "329k"),
        (999_600, "1M"),
        (2_000_000_000, "2G"),
    ],
)
def test_a_large_number_is_shortened_to_three_digits(number: int, text: str) -> None:
    assert words.short_count(number) == text


def test_what_is_not_known_is_never_a_zero() -> None:
    assert (words.count(None), words.moment(None), words.ago(None, NOW)) == ("not known",) * 3


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(minutes=1, seconds=59), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=4600), "12 years ago"),
        (timedelta(hours=-1), "2026-11-21 13:00:00 UTC"),
    ],
)
def test_time_passed_is_told_in_its_largest_unit(passed: timedelta, text: str) -> None:
    assert words.ago(NOW - passed, NOW) == text


def test_a_window_of_whole_days_shows_dates_alone() -> None:
    assert words.window(datetime(2013, 1, 1), datetime(2014, 1, 1)) == "2013-01-01 to 2014-01-01"


def test_a_schema_that_is_not_json_is_shown_as_it_is() -> None:
    assert words.pretty_json("{not json") == "{not json"


def test_markdown_becomes_html() -> None:
    html = markdown.to_html("**late** [list](https://example.com)")
    link = '<a href="https://example.com" rel="noopener noreferrer nofollow">list</a>'
    assert html == f"<p><strong>late</strong> {link}</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,1)",
        "<a href='javascript:alert(1)'>x</a>",
    ],
)
def test_markdown_that_acts_becomes_text(text: str) -> None:
    html = str(markdown.to_html(text)).lower()
    assert not any(sign in html for sign in ("<script", "<img", "<a"))


def test_an_image_is_a_link_and_is_not_loaded() -> None:
    html = markdown.to_html("![plan](https://example.com/plan.png)")
    assert "<img" not in html
    assert 'href="https://example.com/plan.png"' in html


def test_a_heading_in_a_description_does_not_enter_the_outline() -> None:
    assert "<h1" not in markdown.to_html("# Loud")


def test_markdown_is_cut_at_its_limit() -> None:
    assert len(markdown.to_html("a" * (markdown.MARKDOWN_LENGTH + 50))) == markdown.MARKDOWN_LENGTH + len(
        "<p></p>\n"
    )


@pytest.mark.parametrize(
    "url", ["/products/a/b", "https://example.com/x", "HTTP://example.com", "mailto:a@example.com"]
)
def test_a_harmless_url_stays_a_link(url: str) -> None:
    assert markdown.safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:1",
        "java\tscript:1",
        "\x01javascript:1",
        "vbscript:1",
        "data:text/html,1",
        "//evil.example",
        "/\\evil.example",
        "https://a b",
        'https://a"onclick=1',
        "/a\nb",
        "x",
        "",
    ],
)
def test_any_other_url_is_no_link(url: str) -> None:
    assert markdown.safe_url(url) == ""


def test_an_unknown_run_never_looks_like_a_passed_one() -> None:
    passed, unknown = sparkline.bars([1.0, None])
    assert (passed.outcome, unknown.outcome) == ("passed", "unknown")
    assert unknown.height < passed.height / 2


def test_one_bad_event_in_a_thousand_shows_in_the_history() -> None:
    (bar,) = sparkline.bars([0.999])
    assert bar.outcome == "failed"
    assert bar.height <= sparkline.HEIGHT * 0.8


def test_a_history_shows_the_last_thirty_runs_to_the_right_edge() -> None:
    bars = sparkline.bars([1.0] * 40)
    assert (len(bars), bars[-1].x) == (30, sparkline.bars([1.0])[0].x)


def test_a_history_is_told_in_words_too() -> None:
    assert sparkline.in_words([1.0, 0.5, None]) == "last 3 runs: 1 passed, 1 failed, 1 unknown"


def test_the_python_snippets_are_python() -> None:
    for snippet in snippets("operations.departures", "operations.departures.v1", HOME)[:2]:
        compile(snippet.code, snippet.tool, "exec")


def test_a_hostile_address_stays_inside_its_string() -> None:
    hostile = Connection(bootstrap='"); import os #', registry="'; rm -rf ~ #")
    mesh, client, kcat = snippets('x"); import os #', "t", hostile)
    assert "os" not in compile(mesh.code, "", "exec").co_names + compile(client.code, "", "exec").co_names
    assert hostile.bootstrap in shlex.split(kcat.code)
