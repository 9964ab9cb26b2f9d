"""The pages as people meet them: in a browser, light and dark, narrow and wide, with keys alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages_sample import PAGES, TOKEN
from tests.e2e.running_pages import Complaints, Site, running_chromium, running_pages, steward_page

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine may take its time; a page that never comes still fails
VENDOR = Path(__file__).parent / "vendor"
AXE = VENDOR / "axe.min.js"
every_page = pytest.mark.parametrize("name", PAGES)
both_themes = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with running_chromium(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_pages() as running:
        yield running


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    with steward_page(site, browser) as opened:
        yield opened


@both_themes
@every_page
def test_a_page_raises_no_error_and_keeps_its_own_policy(
    site: Site, browser: Browser, name: str, scheme: str
) -> None:
    complaints = Complaints()
    with steward_page(site, browser, color_scheme=scheme) as page:
        complaints.listen(page)
        page.goto(site.url + PAGES[name], wait_until="load")
    assert complaints.said == []


@both_themes
@every_page
def test_axe_finds_no_violation(site: Site, browser: Browser, name: str, scheme: str) -> None:
    with steward_page(site, browser, color_scheme=scheme) as page:
        page.goto(site.url + PAGES[name])
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [(rule["id"], [spot["html"] for spot in rule["nodes"]]) for rule in found] == []


def test_axe_would_find_a_violation(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.evaluate(
        "document.querySelector('#q').labels[0].remove(); document.querySelector('#q').placeholder = ''"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert "label" in page.evaluate("axe.run().then((result) => result.violations.map((rule) => rule.id))")


def test_the_vendored_axe_is_the_file_its_note_describes() -> None:
    assert hashlib.sha512(AXE.read_bytes()).hexdigest() in (VENDOR / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1600])
def test_no_page_scrolls_sideways(site: Site, browser: Browser, width: int) -> None:
    with steward_page(site, browser, viewport={"width": width, "height": 800}) as page:
        excess = {}
        for name, path in PAGES.items():
            page.goto(site.url + path)
            excess[name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert excess == dict.fromkeys(PAGES, 0)


@every_page
def test_a_page_has_one_title_and_an_outline_without_gaps(site: Site, page: Page, name: str) -> None:
    page.goto(site.url + PAGES[name])
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every_page
def test_a_page_has_the_landmarks_people_jump_to(site: Site, page: Page, name: str) -> None:
    page.goto(site.url + PAGES[name])
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Site")).to_have_count(1)


@every_page
def test_the_tab_key_reaches_every_control_and_shows_where_it_is(site: Site, page: Page, name: str) -> None:
    page.goto(site.url + PAGES[name])
    wanted = page.evaluate(
        """() => {
            const controls = [...document.querySelectorAll(
                "a[href], button, input, textarea, summary, [tabindex='0']")];
            const usable = controls.filter((one) => one.checkVisibility() && one.type !== "hidden");
            usable.forEach((one, place) => { one.dataset.place = place; });
            return usable.length;
        }"""
    )
    reached, unmarked = set(), []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        place, marked, html = page.evaluate(
            """() => {
                const now = document.activeElement;
                const row = now.querySelector(".g-row");
                const marked = getComputedStyle(now).outlineStyle !== "none"
                    || (row && getComputedStyle(row).stroke !== "none");
                return [now.dataset.place ?? null, Boolean(marked), now.outerHTML.slice(0, 80)];
            }"""
        )
        if place is not None:
            reached.add(int(place))
            unmarked += [] if marked else [html]
    assert sorted(set(range(wanted)) - reached) == []
    assert unmarked == []


def test_the_first_key_offers_to_skip_to_the_content(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_page_reads_without_javascript(site: Site, browser: Browser) -> None:
    with steward_page(site, browser, java_script_enabled=False) as page:
        page.goto(site.url + PAGES["product"])
        expect(page.get_by_role("heading", level=1)).to_have_text("departures")
        expect(page.get_by_label("code for mesh", exact=True)).to_contain_text("mesh.subscribe")
        expect(page.get_by_role("button", name="Copy code for mesh")).to_have_count(0)


def test_a_chosen_theme_stays_on_the_next_page(site: Site, browser: Browser) -> None:
    with steward_page(site, browser, color_scheme="light") as page:
        page.goto(site.url)
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Switch between light and dark").click()
        page.goto(site.url + PAGES["reviews"])
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_snippet_is_copied_whole(site: Site, browser: Browser) -> None:
    with steward_page(site, browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(site.url + PAGES["product"])
        page.get_by_role("button", name="Copy code for mesh").click()
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").startswith("import mesh\n")


def test_pointing_at_a_product_lights_what_flows_through_it(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.locator("a[data-node='operations.departures']").hover()
    expect(page.locator(".g-edge.lit")).to_have_count(2)


def test_a_change_of_the_mesh_appears_without_a_reload(site: Site, page: Page) -> None:
    page.goto(site.url)
    expect(page.locator("[data-live-text]")).to_have_text("Live")
    page.evaluate("window.same = true")
    site.reader.home_events = 700_000
    site.reader.changed.append("operations.departures")
    expect(page.locator(".totals")).to_contain_text("700,000", timeout=30_000)
    assert page.evaluate("window.same")


def test_live_updates_can_be_paused(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-live-text]")).to_have_text("Paused")


def test_a_steward_approves_with_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.url + PAGES["review"])
    page.get_by_label("Reason").focus()
    page.keyboard.type("The two consumers have agreed to the new name.")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    decided = site.door.decisions[-1]
    assert (decided.verdict, decided.review) == ("approve", "rv-014")


def test_a_refused_decision_says_why_and_keeps_what_was_typed(site: Site, page: Page) -> None:
    page.goto(site.url + PAGES["review"])
    page.get_by_label("Reason").fill("too short")
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("alert")).to_contain_text("The reason is too short")
    expect(page.get_by_label("Reason")).to_have_value("too short")


def test_a_good_token_signs_in_and_leads_back(site: Site, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/signin?next=/reviews")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/reviews")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    context.close()


def test_the_printed_link_signs_in_and_leaves_no_token_in_the_address(site: Site, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/signin#{TOKEN}")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/")
    context.close()


def test_a_bad_token_says_so(site: Site, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/signin")
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This token is not valid here")
    context.close()
