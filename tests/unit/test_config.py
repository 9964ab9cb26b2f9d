"""Settings: environment first, then what `mesh up` left; and declarations found on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.adapters.workspace import find_root, read_sources
from mesh.config import find_state, load, policies_folder
from mesh.errors import UsageError

NAMED = {"MESH_KAFKA_BOOTSTRAP": "k:9092", "MESH_PLATFORM_URL": "http://p:1/"}


@pytest.fixture
def running(tmp_path: Path) -> Path:
    state = tmp_path / ".mesh"
    state.mkdir()
    (state / "run.json").write_text(json.dumps({"pid": 1, "bootstrap": "b:1", "platform_url": "http://r:2"}))
    (state / "token").write_text("secret\n")
    return tmp_path


def refusal(*args: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(*args)
    assert caught.value.why
    assert caught.value.fix
    return caught.value


def test_a_running_mesh_is_found_from_any_folder_below_it(running: Path) -> None:
    below = running / "a" / "b"
    below.mkdir(parents=True)
    found = load(below, {})
    assert (found.bootstrap, found.platform_url, found.registry_url, found.token, found.codec) == (
        "b:1",
        "http://r:2",
        "http://r:2/registry",
        "secret",
        "auto",
    )


def test_the_environment_comes_first(running: Path) -> None:
    found = load(
        running, {**NAMED, "MESH_REGISTRY_URL": "http://s/", "MESH_TOKEN": "t", "MESH_CODEC": "fastavro"}
    )
    assert (found.bootstrap, found.platform_url, found.registry_url, found.token, found.codec) == (
        "k:9092",
        "http://p:1",
        "http://s",
        "t",
        "fastavro",
    )


@pytest.mark.parametrize(
    ("registry", "token"),
    [("http://p:1/registry", "t"), ("http://s", ""), ("http://p:2", ""), ("https://p:1", "")],
)
def test_the_platforms_token_goes_to_no_registry_elsewhere(running: Path, registry: str, token: str) -> None:
    found = load(running, {**NAMED, "MESH_REGISTRY_URL": registry, "MESH_TOKEN": "t"})
    assert found.registry_token == token


def test_a_registry_elsewhere_has_a_token_of_its_own(running: Path) -> None:
    found = load(running, {**NAMED, "MESH_REGISTRY_URL": "http://s", "MESH_REGISTRY_TOKEN": "other"})
    assert found.registry_token == "other"


def test_the_token_is_never_shown(running: Path) -> None:
    assert "secret" not in repr(load(running, {}))


def test_without_a_mesh_the_next_step_is_to_start_one(tmp_path: Path) -> None:
    error = refusal(tmp_path, {})
    assert (error.error_code, error.fix) == ("MESH-U030", "mesh up")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"bootstrap": null, "platform_url": null}', "\x00"])
def test_a_broken_run_file_is_no_mesh(running: Path, text: str) -> None:
    (running / ".mesh" / "run.json").write_text(text)
    assert refusal(running, {}).error_code == "MESH-U030"


def test_an_unknown_codec_is_refused(running: Path) -> None:
    assert refusal(running, {"MESH_CODEC": "fast"}).error_code == "MESH-U031"


@pytest.mark.parametrize("raw", [None, b"\xff\xfe"])
def test_a_named_token_file_that_cannot_be_read_is_refused(
    running: Path, tmp_path: Path, raw: bytes | None
) -> None:
    file = tmp_path / "other-token"
    if raw is not None:
        file.write_bytes(raw)
    assert refusal(running, {"MESH_TOKEN_FILE": str(file)}).error_code == "MESH-U032"


def test_without_any_token_the_settings_still_say_where_the_mesh_is(tmp_path: Path) -> None:
    assert load(tmp_path, NAMED).token == ""


def test_the_state_folder_can_be_named(tmp_path: Path) -> None:
    assert find_state(tmp_path, {"MESH_STATE": "/somewhere"}) == Path("/somewhere")
    assert find_state(tmp_path, {}) == tmp_path / ".mesh"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in (
        "contracts/ops/b.v1.odcs.yaml",
        "contracts/ops/a.v1.odcs.yaml",
        "domains/ops/a.odps.yaml",
        "contracts/node_modules/x.odcs.yaml",
        "contracts/notes.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(paths: list[Path], root: Path) -> list[str]:
    return [source.name for source in read_sources(paths, root)]


def test_declarations_are_found_in_order_and_named_from_the_root(workspace: Path) -> None:
    folders = [workspace / "contracts", workspace / "domains"]
    assert names(folders, workspace) == [
        "contracts/ops/a.v1.odcs.yaml",
        "contracts/ops/b.v1.odcs.yaml",
        "domains/ops/a.odps.yaml",
    ]


def test_a_file_reached_by_two_paths_is_read_once(workspace: Path) -> None:
    file = workspace / "contracts/ops/a.v1.odcs.yaml"
    assert names([file, workspace / "contracts/ops"], workspace) == [
        "contracts/ops/a.v1.odcs.yaml",
        "contracts/ops/b.v1.odcs.yaml",
    ]


def test_a_mesh_that_lies_inside_a_skipped_folder_is_read_all_the_same(tmp_path: Path) -> None:
    inside = tmp_path / "node_modules" / "contracts"
    inside.mkdir(parents=True)
    (inside / "a.odcs.yaml").write_text("x")
    assert names([inside], inside.parent) == ["contracts/a.odcs.yaml"]


def test_a_folder_named_like_a_contract_is_no_contract(workspace: Path) -> None:
    (workspace / "contracts" / "odd.odcs.yaml").mkdir()
    assert len(names([workspace / "contracts"], workspace)) == 2


def test_a_path_that_is_not_there_is_refused(workspace: Path) -> None:
    with pytest.raises(UsageError) as caught:
        names([workspace / "gone"], workspace)
    assert caught.value.error_code == "MESH-U020"


def test_the_root_is_the_nearest_folder_with_contracts(workspace: Path) -> None:
    assert find_root(workspace / "contracts" / "ops") == workspace


def test_a_folder_of_policies_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        policies_folder(tmp_path, {"MESH_POLICIES": str(tmp_path / "absent")})
    assert told.value.error_code == "MESH-U143"


def test_policies_lie_in_the_mesh_unless_another_folder_is_named(tmp_path: Path) -> None:
    assert policies_folder(tmp_path, {}) == tmp_path / "policies"
    assert policies_folder(tmp_path / "elsewhere", {"MESH_POLICIES": str(tmp_path)}) == tmp_path
