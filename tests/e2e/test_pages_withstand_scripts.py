"""Scripts hidden in contracts, names and links (security S35): none runs, on any page, in any field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.pages_sample import PAGES
from tests.e2e.running_pages import Site, running_chromium, running_pages, steward_page

pytestmark = pytest.mark.browser
PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</code></pre><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</svg><script>alert(1)</script>",
    '" autofocus onfocus=alert(1) x="',
    "' autofocus onfocus=alert(1) x='",
    '" onmouseover=alert(1) x="',
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1) id=bait>x</a>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<base href='//127.0.0.1:1/'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<style>@import 'javascript:alert(1)'</style>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "[bait](javascript:alert(1))",
    "[bait](java\tscript:alert(1))",
    "[bait](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    '![x](x" onerror="alert(1))',
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "${alert(1)}",
    "--></style><script>alert(1)</script>",
    "\u2028</script><script>alert(1)</script>",
)
POISONED = [name for name in PAGES if name not in ("sign-in", "missing", "empty product", "empty search")]
# A hook in place of alert, and a click on every link that leaves this site's paths, web pages and mail.
HOOK = "window.ran = []; window.alert = (what) => window.ran.push(String(what));"
BAIT = """() => {
    const strange = [...document.querySelectorAll("a, area")].filter((one) => {
        const to = one.getAttribute("href") ?? "";
        return !/^(https?:|mailto:|[/#])/i.test(to);
    });
    for (const one of document.querySelectorAll("*")) one.dispatchEvent(new MouseEvent("mouseover"));
    return { strange: strange.map((one) => one.outerHTML), ran: window.ran,
             inline: document.querySelectorAll(
                 "script:not([src]), [style], [onload], [onerror], [onfocus], iframe, base").length };
}"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with running_chromium(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_pages() as running:
        yield running


@pytest.mark.parametrize("name", POISONED)
def test_no_hidden_script_runs(site: Site, browser: Browser, name: str) -> None:
    found = {}
    # The policy is off here: escaping alone must hold. The policy's own test is below.
    with steward_page(site, browser, bypass_csp=True) as page:
        page.add_init_script(HOOK)
        for payload in PAYLOADS:
            site.reader.payload = payload
            page.goto(site.url + PAGES[name], wait_until="load")
            result = page.evaluate(BAIT)
            if result != {"strange": [], "ran": [], "inline": 0}:
                found[payload] = result
    site.reader.payload = ""
    assert found == {}


def test_the_hook_would_notice_a_script(site: Site, browser: Browser) -> None:
    with steward_page(site, browser, bypass_csp=True) as page:
        page.add_init_script(HOOK)
        page.goto(site.url)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
        page.wait_for_function("window.ran.length === 1")


def test_the_policy_alone_stops_a_script_that_got_in(site: Site, browser: Browser) -> None:
    with steward_page(site, browser) as page:
        page.add_init_script(
            HOOK
            + "addEventListener('securitypolicyviolation', (e) => { window.stopped = e.effectiveDirective; })"
        )
        page.goto(site.url)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x onerror=alert(1)>')")
        page.wait_for_function("window.stopped")
        assert page.evaluate("[window.stopped, window.ran]") == ["script-src-attr", []]
