"""`mesh token`: standard output is the token and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mesh.cli.main import build
from mesh.errors import UsageError
from mesh_platform.principals import Principals
from mesh_platform.rights import Right
from mesh_platform.tokens import TokenFile


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def command(*arguments: str) -> Any:
        return CliRunner().invoke(build(), ["token", "--state", str(tmp_path), *arguments])

    return command


def test_the_platforms_own_token_is_printed(run: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert run().stdout == "secret\n"


def test_where_nothing_was_started_there_is_no_token(run: Any) -> None:
    assert isinstance(run().exception, UsageError)
    assert run().exception.error_code == "MESH-U063"


def test_a_new_token_is_all_that_is_printed_and_opens_what_was_asked(run: Any, tmp_path: Path) -> None:
    printed = run("add", "orders", "--right", "register", "--right", "approve").stdout
    principal = Principals("t" * 43, TokenFile(tmp_path / "tokens.json")).of(printed.removesuffix("\n"))
    assert principal is not None
    assert principal.rights == {Right.READ, Right.REGISTER, Right.APPROVE}


def test_machines_get_one_document(run: Any) -> None:
    made = json.loads(run("add", "orders", "--right", "read", "--json").stdout)
    assert set(made) == {"format_version", "name", "rights", "token"}
    (row,) = json.loads(run("list", "--json").stdout)["tokens"]
    assert (row["name"], row["rights"], "token" in row) == ("orders", ["read"], False)


def test_the_list_shows_names_and_rights(run: Any) -> None:
    run("add", "orders", "--right", "register")
    run("add", "board", "--right", "read")
    assert [line.split()[:2] for line in run("list").stdout.splitlines()] == [
        ["board", "read"],
        ["orders", "register"],
    ]


def test_a_revoked_token_is_gone_from_the_list(run: Any) -> None:
    run("add", "orders", "--right", "register")
    assert run("revoke", "orders").exit_code == 0
    assert run("list").stdout == ""


def test_the_file_may_be_elsewhere(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_TOKENS", str(tmp_path / "shared" / "who.json"))
    run("add", "orders", "--right", "read")
    assert [one.name for one in TokenFile(tmp_path / "shared" / "who.json").issued()] == ["orders"]
