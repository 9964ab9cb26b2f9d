"""The pages over HTTP: who may read, what forms need, which headers go out."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from importlib import resources
from pathlib import Path
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mesh_platform.web.assets import Assets
from mesh_platform.web.forms import local_path
from mesh_platform.web.live import LiveClients
from mesh_platform.web.pages import error_page, routes
from mesh_platform.web.review_view import ReviewsView
from mesh_platform.web.views import Visitor
from tests.e2e.pages_sample import PAGES, TOKEN, SampleDoor, SampleReader
from tests.e2e.sample_mesh import NOW

WEB = Path(str(resources.files("mesh_platform.web")))
TEMPLATES = sorted(WEB.glob("templates/**/*.html"))
PRODUCT = PAGES["product"]
REVIEW = PAGES["review"]
GOOD = {"csrf": "form-token", "verdict": "approve", "reason": "Both consumers agreed."}


class ClosedDoor(SampleDoor):
    """Knows nobody without a session."""

    async def visitor(self, request: Request) -> Visitor | None:
        known = await super().visitor(request)
        return known if known and known.name else None


class BrokenReader(SampleReader):
    async def reviews(self, visitor: Visitor) -> ReviewsView:
        raise RuntimeError(f"secret internals of {visitor}")


def client(
    door: SampleDoor | None = None, reader: SampleReader | None = None, *, signed_in: bool = False
) -> TestClient:
    door = door or SampleDoor()
    show_error = error_page("mesh", lambda: NOW)
    app = Starlette(
        routes=routes(reader or SampleReader(), door, door.decide, clock=lambda: NOW),
        exception_handlers={HTTPException: show_error, 500: show_error},
    )
    cookies = {"mesh_session": "session-1"} if signed_in else {}
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, cookies=cookies)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "missing"])
def test_a_page_answers(name: str) -> None:
    assert client(signed_in=True).get(PAGES[name]).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_every_page_goes_out_under_the_strict_policy(name: str) -> None:
    policy = client().get(PAGES[name]).headers["content-security-policy"]
    for rule in (
        "default-src 'self'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/domains/x", "/products/operations/nothing", "/products/fleet/departures", "/reviews/x"]
)
def test_what_does_not_exist_answers_404_with_a_page(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_every_route_but_signing_in_and_files_sends_a_stranger_to_sign_in() -> None:
    door = ClosedDoor()
    closed = client(door)
    for route in routes(SampleReader(), door, door.decide):
        assert isinstance(route, Route)
        if route.path.startswith(("/signin", "/static")):
            continue
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        path = re.sub(r"\{\w+\}", "x", route.path)
        answer = closed.request(method, path)
        assert (answer.status_code, answer.headers["location"][:13]) == (303, "/signin?next="), route.path


def test_a_mistake_of_the_platform_tells_no_internals() -> None:
    answer = client(reader=BrokenReader()).get("/reviews")
    assert answer.status_code == 500
    assert "secret internals" not in answer.text


def test_an_unknown_check_never_reads_as_passed() -> None:
    page = client().get(PRODUCT).text
    check = page[page.index('<li class="check c-unknown">') :].split("</li>")[0]
    assert "Unknown" in check
    assert "Passed" not in check


def test_a_masked_value_says_that_it_is_masked() -> None:
    assert client().get(PRODUCT).text.count("masked by classification") == 8


def test_a_query_is_echoed_as_text() -> None:
    assert "<b>bold" not in client().get("/search", params={"q": "<b>bold"}).text


def test_a_query_is_cut_at_256_characters() -> None:
    page = client().get("/search", params={"q": "a" * 257}).text
    assert "a" * 256 in page
    assert "a" * 257 not in page


def test_a_decision_reaches_governance_and_leads_back_to_the_review() -> None:
    door = SampleDoor()
    answer = client(door, signed_in=True).post(REVIEW, data=GOOD)
    assert (answer.status_code, answer.headers["location"]) == (303, REVIEW)
    assert [(one.review, one.verdict, one.reason) for one in door.decisions] == [
        ("rv-014", "approve", GOOD["reason"])
    ]


@pytest.mark.parametrize(
    ("form", "headers", "status"),
    [
        ({**GOOD, "csrf": "forged"}, {}, 403),
        ({**GOOD, "csrf": ""}, {}, 403),
        ({key: GOOD[key] for key in ("verdict", "reason")}, {}, 403),
        (GOOD, {"sec-fetch-site": "cross-site"}, 403),
        (GOOD, {"sec-fetch-site": "same-site"}, 403),
        (GOOD, {"origin": "https://evil.example"}, 403),
        (GOOD, {"content-type": "text/plain"}, 415),
        ({**GOOD, "verdict": "maybe"}, {}, 400),
        ({**GOOD, "reason": "x" * 40_000}, {}, 413),
        ({f"field{number}": "x" for number in range(20)}, {}, 400),
    ],
)
def test_a_form_that_is_not_ours_or_not_sound_is_refused(
    form: dict[str, str], headers: dict[str, str], status: int
) -> None:
    door = SampleDoor()
    assert client(door, signed_in=True).post(REVIEW, data=form, headers=headers).status_code == status
    assert door.decisions == []


def test_a_visitor_who_is_not_signed_in_cannot_decide_even_with_an_empty_token() -> None:
    door = SampleDoor()
    assert client(door).post(REVIEW, data={**GOOD, "csrf": ""}).status_code == 403
    assert door.decisions == []


def test_a_refused_decision_shows_the_reason_with_status_409() -> None:
    answer = client(signed_in=True).post(REVIEW, data={**GOOD, "reason": "short"})
    assert answer.status_code == 409
    assert "The reason is too short" in answer.text


def test_a_good_token_opens_a_session_that_scripts_cannot_read() -> None:
    answer = client().post("/signin", data={"token": TOKEN, "next": "/reviews"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/reviews")
    cookie = answer.headers["set-cookie"].lower()
    assert all(
        part in cookie for part in ("mesh_session=session-1", "httponly", "samesite=lax", "max-age=43200")
    )


def test_over_https_the_session_is_bound_to_the_host() -> None:
    over_https = client()
    over_https.base_url = "https://testserver"
    cookie = over_https.post("/signin", data={"token": TOKEN}).headers["set-cookie"]
    assert cookie.startswith("__Host-mesh_session=")
    assert "Secure" in cookie


def test_a_bad_token_opens_nothing() -> None:
    answer = client().post("/signin", data={"token": "guess"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_needs_the_form_token() -> None:
    assert client(signed_in=True).post("/signout", data={"csrf": "forged"}).status_code == 403


def test_signing_out_forgets_the_session() -> None:
    answer = client(signed_in=True).post("/signout", data={"csrf": "form-token"})
    assert 'mesh_session=""' in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:1",
        "x",
        "",
        "/a\nb",
    ],
)
def test_signing_in_leads_to_this_site_only(path: str) -> None:
    assert local_path(path) == "/"


def test_a_file_of_the_present_state_may_be_kept_for_ever() -> None:
    answer = client().get(Assets().url("mesh.css"))
    assert "immutable" in answer.headers["cache-control"]


def test_a_file_of_another_state_is_not_kept() -> None:
    assert client().get("/static/000000000000/mesh.css").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["other.css", "..%2Fpages.py", "__init__.py"])
def test_nothing_but_the_listed_files_is_served(name: str) -> None:
    assert client().get(f"/static/0/{name}").status_code == 404


def test_the_pages_own_script_stays_under_six_kilobytes() -> None:
    assert (WEB / "static" / "mesh.js").stat().st_size <= 6_000


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_script_no_style_and_no_way_around_escaping(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(
        r"<script(?! src=)|<style|\sstyle=|\son\w+=|\|\s*safe\b|autoescape|javascript:", text
    )


def test_no_template_is_made_from_a_string() -> None:
    assert not [path for path in WEB.rglob("*.py") if "from_string" in path.read_text(encoding="utf-8")]


async def one_change() -> AsyncIterator[str]:
    yield "operations.departures\ndata: forged"


def stream_of(answer: Response) -> AsyncGenerator[str, None]:
    assert isinstance(answer, StreamingResponse)
    return cast(AsyncGenerator[str, None], answer.body_iterator)


async def test_a_change_goes_out_as_one_event_on_one_line() -> None:
    stream = stream_of(LiveClients().answer(one_change()))
    assert [part async for part in stream] == [
        "retry: 5000\n\n",
        "data: operations.departures data: forged\n\n",
    ]


async def test_a_quiet_stream_says_that_it_is_still_there() -> None:
    stream = stream_of(LiveClients(heartbeat=0.01).answer(SampleReader().changes(Visitor())))
    parts = [await anext(stream), await anext(stream)]
    await stream.aclose()
    assert parts[1] == ": still here\n\n"


async def test_too_many_open_pages_are_refused_until_one_closes() -> None:
    clients = LiveClients(limit=1)
    stream = stream_of(clients.answer(SampleReader().changes(Visitor())))
    await anext(stream)
    refused = clients.answer(one_change())
    await stream.aclose()
    assert (refused.status_code, clients.answer(one_change()).status_code) == (503, 200)
