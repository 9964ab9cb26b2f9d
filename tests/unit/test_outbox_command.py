"""`mesh outbox`: what waits, and the table it waits in."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.outbox import Outbox, table_of
from tests.unit.publishing_kit import packer, rows


def said(*arguments: str) -> str:
    done = CliRunner().invoke(build(), ["outbox", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def database(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript(said("table", "sqlite"))
        Outbox(packer()).write_many(shop, rows(1, 2))
    shop.close()
    return str(tmp_path / "shop.db")


def test_the_table_that_is_printed_takes_events(database: str) -> None:
    assert said("status", database).startswith("2 events wait, the first for ")


def test_what_waits_is_one_json_document_for_programs(database: str) -> None:
    told = json.loads(said("status", database, "--json"))
    assert (told["format_version"], told["events"]) == ("1.0", 2)
    assert told["oldest_seconds"] > 0


def test_the_table_of_postgres_is_printed_too() -> None:
    assert said("table", "postgres") == table_of("postgres")
