"""The documentation's examples, carried out as they stand on a mesh that `mesh up` starts.

    ```yaml path/of/file        is written          ```console
    ```python path/of/file      is written          $ command            # exit code 1
    ```diff path/of/file        is applied          expected line, where … stands for anything
                                                    ```

Blocks without a path, and of other languages, only illustrate.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import unavailable

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("docs")]

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = (
    "guides/plan-and-apply.md",
    "guides/publish-and-subscribe.md",
    "guides/sql.md",  # with the three orders that are there now
    "guides/testing.md",
    "guides/streams.md",
    "guides/test-data.md",  # before the reviews, which change what an order is
    "guides/reviews.md",
    "guides/contracts.md",
    "guides/versions.md",
    "guides/checking.md",
    "guides/rules.md",
    "guides/rights.md",
    "guides/registry-settings.md",
    "guides/schema-kinds.md",
    "guides/registry-import.md",
    "guides/policies.md",
    "guides/schemas.md",
    "guides/backups.md",
    "guides/outbox.md",
)
ALONE = ("guides/kafka-for-your-tests.md", "guides/conversions.md")
FROM_TEMPLATE = "guides/first-product.md"
UP = [sys.executable, "-m", "mesh.cli", "up", "--port", "0"]
FIRST_EVENT = "publish.py"
_BLOCK = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT_CODE = re.compile(r" +# exit code ([0-9]+)$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    file: str
    text: str


@dataclass(frozen=True)
class Step:
    """One command of a console block, the lines it is said to print, and its exit code."""

    command: str
    expected: tuple[str, ...]
    code: int


def blocks(page: str) -> list[Block]:
    return [Block(*match.groups("")) for match in _BLOCK.finditer((DOCS / page).read_text(encoding="utf-8"))]


def steps(block: Block) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        code = _EXIT_CODE.search(command)
        yield Step(_EXIT_CODE.sub("", command), tuple(expected), int(code[1]) if code else 0)


def require_lines(step: Step, printed: str) -> None:
    """Every line that the page shows was printed; `…` stands for anything."""
    lines = [line.rstrip() for line in printed.splitlines()]
    for line in step.expected:
        pattern = re.compile(".*".join(map(re.escape, line.rstrip().split("…"))))
        assert any(pattern.fullmatch(found) for found in lines), (
            f"$ {step.command}\n{line!r} is not in:\n{printed}"
        )


def patched(text: str, change: str) -> str:
    """`text` with one hunk applied: context and `-` lines stand there once, and become context and `+`."""
    lines = [line for line in change.splitlines(keepends=True) if line.strip()]
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"the change does not fit:\n{change}\nto\n{text}"
    return text.replace(before, after)


class Newcomer:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "up.log"
        self._mesh: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")}
        programs = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        # A newcomer has no schemathesis, whose plugin takes each pytest two seconds to load.
        self._env = {**kept, "PATH": programs, "NO_COLOR": "1", "PYTEST_ADDOPTS": "-p no:schemathesis"}

    def follow(self, page: str) -> None:
        for block in blocks(page):
            if block.language == "console":
                for step in steps(block):
                    self._carry_out(step)
            elif block.file:
                file = self.folder / block.file
                file.parent.mkdir(parents=True, exist_ok=True)
                changed = block.language == "diff"
                file.write_text(patched(file.read_text(), block.text) if changed else block.text)

    def stop(self) -> None:
        if self._mesh is not None:
            self._mesh.terminate()
            try:
                self._mesh.wait(30)
            except subprocess.TimeoutExpired:
                self._mesh.kill()
                self._mesh.wait()

    def _carry_out(self, step: Step) -> None:
        if step.command == "mesh up":
            self._start()
            require_lines(step, self.log.read_text())
            return
        done = subprocess.run(
            step.command,
            shell=True,
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == step.code, f"$ {step.command}\n{done.stdout}"
        require_lines(step, done.stdout)

    def _start(self) -> None:
        with self.log.open("wb") as log:
            self._mesh = subprocess.Popen(
                UP, cwd=self.folder, env=self._env, stdin=subprocess.DEVNULL, stderr=log
            )
        deadline = time.monotonic() + 30
        while "up in " not in self.log.read_text():
            if self._mesh.poll() is not None or time.monotonic() > deadline:
                unavailable(f"the mesh does not start: {self.log.read_text()[-500:]}")
            time.sleep(0.1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """A newcomer who has followed the quickstart to its end; their mesh is still up."""
    newcomer = Newcomer(tmp_path_factory.mktemp("shop"))
    try:
        newcomer.follow("quickstart.md")
        yield newcomer
    finally:
        newcomer.stop()


def test_the_quickstart_leads_where_it_says(shop: Newcomer) -> None:
    assert (shop.folder / ".mesh" / "run.json").is_file()


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_goes_on_from_the_quickstart(shop: Newcomer, page: str) -> None:
    shop.follow(page)


@pytest.mark.parametrize("page", ALONE)
def test_a_guide_of_its_own_needs_no_mesh(tmp_path: Path, page: str) -> None:
    Newcomer(tmp_path).follow(page)


def test_a_product_from_a_template_leads_where_it_says(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    try:
        newcomer.follow(FROM_TEMPLATE)
    finally:
        newcomer.stop()


@pytest.mark.parametrize(
    ("page", "command"), [("quickstart.md", FIRST_EVENT), (FROM_TEMPLATE, "mesh read shop.orders")]
)
def test_the_first_event_takes_five_commands_and_twenty_five_lines(page: str, command: str) -> None:
    commands: list[str] = []
    lines = 0
    for block in blocks(page):
        if block.language == "console":
            commands += [step.command for step in steps(block)]
        elif block.file:
            own = "+" if block.language == "diff" else ""
            lines += sum(1 for line in block.text.splitlines() if line.strip() and line.startswith(own))
        if any(command in said for said in commands):
            break
    assert next(number for number, said in enumerate(commands, 1) if command in said) <= 5
    assert lines <= 25


@pytest.mark.parametrize("page", ["quickstart.md", *GUIDES, *ALONE, FROM_TEMPLATE])
def test_a_page_shows_what_its_commands_print(page: str) -> None:
    shown = [step for block in blocks(page) if block.language == "console" for step in steps(block)]
    assert any(step.expected for step in shown)
