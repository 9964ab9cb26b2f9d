"""The pages of `docs/reference` that are made from the source, so that they cannot differ from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.agreement.table import rules_page
from tests.reference.broker import broker_page
from tests.reference.cli import cli_page
from tests.reference.errors import errors_page
from tests.reference.policies import policies_page
from tests.reference.source import ROOT

DOCS = ROOT / "docs"
_MADE = "<!-- Made by `python -m tests.reference`; do not edit. -->\n\n"

PAGES: Mapping[str, Callable[[], str]] = {
    "reference/errors.md": lambda: _MADE + errors_page(),
    "reference/cli.md": lambda: _MADE + cli_page(),
    "reference/rules.md": lambda: _MADE + rules_page(),
    "reference/broker.md": lambda: _MADE + broker_page(),
    "reference/policies.md": lambda: _MADE + policies_page(),
}
