"""Tokens of principals: shown once, kept as hashes, taken and refused at once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.errors import UsageError
from mesh_platform.auth import Keyring
from mesh_platform.principals import Principals
from mesh_platform.rights import API, EVERY_RIGHT, Principal, Right, held, opening
from mesh_platform.tokens import TokenFile

NOW = datetime(2026, 11, 2, tzinfo=UTC)
OWN = "t" * 43


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "state" / "tokens.json")


@pytest.fixture
def principals(file: TokenFile) -> Principals:
    return Principals(OWN, file)


def refusal(caught: pytest.ExceptionInfo[UsageError]) -> str:
    error = caught.value
    assert error.what
    assert error.why
    assert error.fix
    return error.error_code


def test_a_token_opens_what_it_was_made_for(file: TokenFile, principals: Principals) -> None:
    token = file.add("orders", [Right.REGISTER], NOW)
    assert principals.of(token) == Principal("orders", frozenset({Right.READ, Right.REGISTER}))


def test_the_platforms_own_token_has_every_right(principals: Principals) -> None:
    assert principals.of(OWN) == Principal("local", EVERY_RIGHT)


def test_only_the_hash_is_kept_and_only_the_owner_reads_it(file: TokenFile) -> None:
    token = file.add("orders", [Right.READ], NOW)
    assert len(token) >= 43
    assert token not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in file.path.parent.iterdir()) == ["tokens.json", "tokens.lock"]


def test_a_token_taken_back_opens_nothing_from_then_on(file: TokenFile, principals: Principals) -> None:
    token, other = file.add("orders", [Right.READ], NOW), file.add("stock", [Right.READ], NOW)
    assert principals.of(token)
    file.revoke("orders")
    assert principals.of(token) is None
    assert principals.of(other)


def test_a_session_ends_with_the_token_that_opened_it(file: TokenFile, principals: Principals) -> None:
    keyring = Keyring(principals, lambda: NOW)
    session = keyring.open_session(file.add("orders", [Right.APPROVE], NOW))
    assert session is not None
    visiting = keyring.visiting(session)
    assert visiting is not None
    assert visiting[0].name == "orders"
    file.revoke("orders")
    assert keyring.visiting(session) is None


@pytest.mark.parametrize("token", ["", "x", OWN[:-1], OWN + "t", "é" * 43, "x" * 20_000])
def test_any_other_token_is_nobodys(file: TokenFile, principals: Principals, token: str) -> None:
    file.add("orders", [Right.READ], NOW)
    assert principals.of(token) is None


def test_the_hash_of_a_token_opens_nothing(file: TokenFile, principals: Principals) -> None:
    file.add("orders", [Right.READ], NOW)
    assert principals.of(file.issued()[0].sha256) is None


def test_a_file_that_cannot_be_read_opens_nothing_but_the_own_token(
    file: TokenFile, principals: Principals
) -> None:
    token = file.add("orders", [Right.ADMIN], NOW)
    assert principals.of(token)
    file.path.write_text(file.path.read_text()[:-10])
    assert principals.of(token) is None
    assert principals.of(OWN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"tokens": {}}',
        '{"tokens": [{}]}',
        '{"tokens": [7]}',
        '{"tokens": [{"name": "a", "sha256": "0", "rights": [], "created": ""}]}',
        json.dumps({"tokens": [{"name": "a", "sha256": "0" * 64, "rights": ["root"], "created": ""}]}),
        "[" * 10_000,
    ],
)
def test_a_broken_file_is_told_and_never_written_over(file: TokenFile, text: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(text)
    with pytest.raises(UsageError) as caught:
        file.add("orders", [Right.READ], NOW)
    assert refusal(caught) == "MESH-U155"
    assert file.path.read_text() == text


def test_a_token_without_any_right_is_nobodys(file: TokenFile, principals: Principals) -> None:
    token = file.add("orders", [], NOW)
    assert principals.of(token) is None


@pytest.mark.parametrize("name", ["", "local", "Orders", "1st", "a b", "a" * 64, "a\n", "ä", "a/b"])
def test_a_name_that_cannot_be_is_refused(file: TokenFile, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        file.add(name, [Right.READ], NOW)
    assert refusal(caught) == "MESH-U156"


def test_a_name_has_one_token(file: TokenFile) -> None:
    file.add("orders", [Right.READ], NOW)
    with pytest.raises(UsageError) as caught:
        file.add("orders", [Right.ADMIN], NOW)
    assert refusal(caught) == "MESH-U157"
    assert file.issued()[0].rights == (Right.READ,)


def test_a_name_without_a_token_cannot_be_revoked(file: TokenFile) -> None:
    with pytest.raises(UsageError) as caught:
        file.revoke("orders")
    assert refusal(caught) == "MESH-U158"


def test_tokens_made_at_once_are_all_kept(file: TokenFile) -> None:
    names = [f"team-{number}" for number in range(16)]
    threads = [threading.Thread(target=file.add, args=(name, [Right.READ], NOW)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.name for one in file.issued()] == sorted(names)


def test_each_right_includes_reading_and_admin_includes_all() -> None:
    assert held([]) == frozenset()
    assert held([Right.ADMIN]) == EVERY_RIGHT
    for right in Right:
        assert Right.READ in held([right])
    assert held([Right.APPROVE]) == {Right.READ, Right.APPROVE}


@pytest.mark.parametrize("methods", [{"POST"}, {"GET", "DELETE"}, set()])
def test_a_route_that_nobody_thought_of_has_no_right(methods: set[str]) -> None:
    with pytest.raises(ValueError, match="no right opens grant_everything"):
        opening(API, "grant_everything", methods)
