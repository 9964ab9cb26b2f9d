"""A registry brought to another one: ids, contexts, references, settings and what was deleted are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.adapters.registry_copies import RegistryReader
from mesh.adapters.registry_files import file_name, read_copy, write_copy
from mesh.adapters.registry_migration import RegistryWriter
from mesh.errors import MeshError, RegistryError, UsageError
from mesh.migration import Reference, RegistryCopy, SchemaVersion, migration
from mesh.migration.steps import in_order
from tests.unit.registry_wire import REGISTRIES, Habit, RegistryWire, forgetful, modeless, older, unlisted

MONEY = '{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}'
ORDER = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"price","type":"Money"}]}'
COIN, PURSE = MONEY.replace("Money", "Coin"), ORDER.replace("Money", "Coin").replace("Order", "Purse")
DELETED = {("gone", 1), ("order", 1), ("coin", 1), ("purse", 1)}
RULES = {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}]}


def ask(wire: RegistryWire, method: str, path: str, body: Any = None) -> Any:
    status, answer = wire.request(method, path, body)
    assert status == 200, (path, answer)
    return answer


def filled(*habits: Habit) -> RegistryWire:
    """A registry with something of everything."""
    wire = RegistryWire()
    ask(wire, "PUT", "/mode", {"mode": "IMPORT"})
    referring = [{"name": "shop.Money", "subject": "money/eur", "version": 3}]
    holding = [{"name": "shop.Coin", "subject": "coin", "version": 1}]
    for subject, number, schema_id, body in [
        ("money%2Feur", 3, 40, {"schema": MONEY}),
        ("order", 1, 7, {"schema": ORDER, "references": referring}),
        (
            "order",
            5,
            8,
            {"schema": '"string"', "metadata": {"properties": {"owner": "ada"}}, "ruleSet": RULES},
        ),
        ("gone", 1, 9, {"schema": '"int"'}),
        ("coin", 1, 12, {"schema": COIN}),
        ("purse", 1, 13, {"schema": PURSE, "references": holding}),
        ("%3A.eu%3Aorder", 1, 7, {"schema": '"long"'}),
        ("page", 2, 11, {"schema": '{"type":"object"}', "schemaType": "JSON"}),
        ("call", 1, 14, {"schema": 'syntax = "proto3"; message Call {}', "schemaType": "PROTOBUF"}),
    ]:
        ask(wire, "POST", f"/subjects/{subject}/versions", {**body, "id": schema_id, "version": number})
    ask(wire, "DELETE", "/mode")
    for subject in ("gone", "purse", "coin"):
        ask(wire, "DELETE", f"/subjects/{subject}")
    ask(wire, "DELETE", "/subjects/order/versions/1")
    ask(wire, "PUT", "/config", {"compatibility": "FULL"})
    ask(wire, "PUT", "/config/order", {"compatibility": "NONE", "normalize": True})
    ask(wire, "PUT", "/config/%3A.eu%3A", {"compatibility": "FORWARD"})
    ask(wire, "PUT", "/mode/page", {"mode": "READONLY"})
    wire.habits = habits
    return wire


def copied(wire: RegistryWire) -> RegistryCopy:
    return RegistryReader(wire).copy()


def bring(source: RegistryCopy, target: RegistryWire) -> list[str]:
    told: list[str] = []
    RegistryWriter(target).carry_out(migration(source, copied(target)), lambda step: told.append(str(step)))
    return told


def test_everything_arrives_as_it_was() -> None:
    source, target = filled(), RegistryWire()
    bring(copied(source), target)
    assert copied(target) == copied(source)
    assert ask(target, "GET", "/schemas/ids/40")["schema"] == ask(source, "GET", "/schemas/ids/40")["schema"]


def test_what_was_deleted_is_deleted_and_still_answers_by_its_id() -> None:
    target = RegistryWire()
    bring(copied(filled()), target)
    assert ask(target, "GET", "/subjects") == ask(filled(), "GET", "/subjects")
    assert ask(target, "GET", "/schemas/ids/9")["schema"] == '"int"'


def test_ids_that_come_later_follow_those_that_were_imported() -> None:
    target = RegistryWire()
    bring(copied(filled()), target)
    assert ask(target, "POST", "/subjects/new/versions", {"schema": '"double"'})["id"] == 41


def test_the_second_time_there_is_nothing_to_do() -> None:
    source, target = copied(filled()), RegistryWire()
    assert bring(source, target)
    assert bring(source, target) == []


@pytest.mark.parametrize("habits", REGISTRIES.values(), ids=REGISTRIES)
def test_every_registry_is_read_whole(habits: tuple[Habit, ...]) -> None:
    source, target = filled(*habits), RegistryWire()
    found = copied(source)
    assert {one.place for one in found.versions} == {one.place for one in copied(filled()).versions}
    assert {one.place for one in found.versions if one.deleted} == DELETED
    bring(found, target)
    assert bring(found, target) == []


def test_what_a_registry_lists_and_does_not_show_is_told() -> None:
    reader = RegistryReader(filled(forgetful, unlisted))
    assert {one.place for one in reader.copy().versions if one.deleted} == set()
    assert set(reader.unread) == {f"{subject} version {number}" for subject, number in DELETED}


def test_what_began_and_did_not_end_is_gone_on_with() -> None:
    source = copied(filled())
    whole = len(migration(source, copied(RegistryWire())).steps)
    for done in range(0, whole, 3):
        target = RegistryWire()
        left = [done]

        def stop(method: str, path: str, status: int, answer: Any, left: list[int] = left) -> tuple[int, Any]:
            left[0] -= method != "GET"
            return (status, answer) if left[0] >= 0 or method == "GET" else (503, {"message": "gone"})

        target.habits = (stop,)
        with pytest.raises(RegistryError, match="gone"):
            bring(source, target)
        target.habits = ()
        bring(source, target)
        assert copied(target) == source, done


def test_what_contradicts_the_target_is_told_before_anything_is_written() -> None:
    source, target = copied(filled()), RegistryWire()
    ask(target, "PUT", "/mode", {"mode": "IMPORT"})
    ask(target, "POST", "/subjects/mine/versions", {"schema": '"float"', "id": 40, "version": 1})
    ask(target, "POST", "/subjects/order/versions", {"schema": '"string"', "id": 77, "version": 5})
    before = copied(target)
    with pytest.raises(RegistryError) as caught:
        bring(source, target)
    assert caught.value.error_code == "MESH-R005"
    assert "id 40 is another schema there, of mine" in caught.value.why
    assert "it has id 77 there, and 8 here" in caught.value.why
    assert copied(target) == before


def test_what_the_target_has_besides_stays() -> None:
    target = RegistryWire()
    ask(target, "POST", "/subjects/mine/versions", {"schema": '"float"'})
    ask(target, "PUT", "/config/mine", {"compatibility": "NONE"})
    bring(copied(filled()), target)
    assert ask(target, "GET", "/subjects/mine/versions") == [1]
    assert ask(target, "GET", "/config/mine")["compatibilityLevel"] == "NONE"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("AVRO", '{"type": "string"}', '"string"'),
        ("JSON", '{"type": "object", "title": "a"}', '{"title":"a","type":"object"}'),
        ("PROTOBUF", 'syntax = "proto3";\n\n  message A {}', 'syntax = "proto3";\nmessage A {}\n'),
    ],
)
def test_the_same_schema_in_another_spelling_is_no_contradiction(kind: str, one: str, other: str) -> None:
    source = RegistryCopy((SchemaVersion("s", 1, 5, one, kind),))
    target = RegistryCopy((SchemaVersion("s", 1, 5, other, kind),))
    assert migration(source, target).conflicts == ()


def test_a_registry_that_gives_ids_of_its_own_is_refused() -> None:
    source = RegistryCopy((SchemaVersion("s", 1, 5, '"string"'),))

    def own_ids(method: str, path: str, status: int, answer: Any) -> tuple[int, Any]:
        return (200, {"id": 1}) if method == "POST" else (status, answer)

    with pytest.raises(RegistryError) as caught:
        bring(source, RegistryWire((own_ids,)))
    assert caught.value.error_code == "MESH-R006"


def test_a_registry_without_modes_cannot_take_ids() -> None:
    with pytest.raises(RegistryError):
        bring(copied(filled()), RegistryWire((older, unlisted, modeless)))


def referring(subject: str, other: str, schema_id: int) -> SchemaVersion:
    return SchemaVersion(subject, 1, schema_id, "{}", references=(Reference("r", other, 1),))


def test_versions_come_after_those_they_refer_to_however_deep() -> None:
    deep = [referring(f"s{n}", f"s{n + 1}", n + 10) for n in range(4_000)]
    circle = [referring("a", "b", 1), referring("b", "a", 2)]
    found = [version.subject for version in in_order([*deep, *circle])]
    assert sorted(found[:2]) == ["a", "b"]
    assert found[2:] == [f"s{n}" for n in reversed(range(4_000))]


def test_a_copy_comes_back_from_its_files(tmp_path: Path) -> None:
    copy = copied(filled())
    files = write_copy(copy, tmp_path / "copy")
    assert files == len(copy.subjects) + 1
    assert read_copy(tmp_path / "copy") == copy


def test_the_files_of_the_same_registry_are_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_copy(copied(filled()), tmp_path / name)
    for file in (tmp_path / "one").rglob("*.json"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_subjects_of_any_name_have_files_of_their_own() -> None:
    names = ["a", "A", "a/b", "a%2Fb", "..", ".", "", "x" * 1_000, "x" * 1_001, ":.eu:a", "ä", "con\n"]
    files = [file_name(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    assert all(len(file.encode()) < 200 and "/" not in file and not file.startswith(".") for file in files)


def refusal(folder: Path) -> MeshError:
    with pytest.raises(UsageError) as caught:
        read_copy(folder)
    return caught.value


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(UsageError) as caught:
        write_copy(RegistryCopy(), tmp_path)
    assert caught.value.error_code == "MESH-U161"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format_version": "2.0"}', '{"format_version": "1.0"}', "\xff"]
)
def test_a_folder_without_a_copy_is_said(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path).error_code == "MESH-U162"
    (tmp_path / "registry.json").write_text(text, encoding="latin-1")
    assert refusal(tmp_path).error_code == "MESH-U162"


@pytest.mark.parametrize(
    "change",
    [
        {"subject": None, "versions": None},
        {"versions": [{}]},
        {"config": []},
        {"mode": 7},
        {"versions": [{"id": "x"}]},
    ],
)
def test_a_file_that_was_damaged_is_said(tmp_path: Path, change: dict[str, Any]) -> None:
    write_copy(copied(filled()), tmp_path / "copy")
    file = tmp_path / "copy" / "subjects" / "order.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert refusal(tmp_path / "copy").error_code == "MESH-U162"
