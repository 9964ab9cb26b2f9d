"""The sample pages on a loopback port, and a Chromium that talks to nobody else."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from mesh_platform.web.pages import error_page, routes
from tests.e2e.pages_sample import SampleDoor, SampleReader
from tests.e2e.sample_mesh import NOW

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Site:
    """The running pages and what stands behind them."""

    url: str
    reader: SampleReader
    door: SampleDoor


@contextmanager
def running_pages() -> Iterator[Site]:
    """Serve the sample on a free port until the block ends."""
    reader, door = SampleReader(), SampleDoor()
    show_error = error_page("New York flights", lambda: NOW)
    app = Starlette(
        routes=routes(reader, door, door.decide, mesh_name="New York flights", clock=lambda: NOW),
        exception_handlers={HTTPException: show_error, 500: show_error},
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", reader, door)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """A headless browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Complaints:
    """What a page said that a good page does not say."""

    said: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # The missing page answers 404, which Chromium reports as if it were the page's mistake.
        if kind in ("error", "warning") and "status of 404" not in text:
            self.said.append(text)


@contextmanager
def steward_page(site: Site, browser: Browser, **options: object) -> Iterator[Page]:
    """A page of a signed-in steward in a fresh browser profile."""
    context = browser.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
    try:
        context.add_cookies([{"name": "mesh_session", "value": "session-1", "url": site.url}])
        yield context.new_page()
    finally:
        context.close()
