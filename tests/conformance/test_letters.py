"""Dead letters go back where they failed, each once; the same sentences on both brokers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from mesh.adapters.kafka_admin import KafkaAdmin
from mesh.adapters.kafka_landing import KafkaLanding
from mesh.cli.main import build
from mesh.connection import Mesh
from mesh.errors import MeshError
from mesh.handling import Event, Retries
from mesh.letters import Choice
from mesh.letters.target import Parcel
from mesh.naming import retry_topic
from tests.conformance.declared import declaration, fresh_name
from tests.conformance.readings import publish, reading, send_raw, taken

AT_ONCE = Retries(waits=())


class Books:
    """A group's handler that takes no negative temperatures, until it does."""

    def __init__(self) -> None:
        self.group = f"tests.{fresh_name()}"
        self.mended = False
        self.kept: list[tuple[str, float]] = []

    def __call__(self, event: Event) -> None:
        if event["celsius"] < 0 and not self.mended:
            raise LookupError("no book below zero")
        self.kept.append((event.id, event["celsius"]))

    def run(self, mesh: Mesh, product: str, until: Callable[[Any], bool]) -> None:
        turns = iter(range(200))
        with mesh.handling(product, group=self.group, retries=AT_ONCE) as handling:
            handling.each(self, lambda: not until(handling.handled) and next(turns, None) is not None)


@pytest.fixture
def books(mesh: Mesh, product: str) -> Books:
    """A group with two dead letters, of -1 and -2 degrees."""
    publish(mesh, product, [{**reading(5 * n), "celsius": float(c)} for n, c in enumerate((1, -1, 2, -2))])
    made = Books()
    made.run(mesh, product, lambda handled: handled.events + handled.dead_letters == 4)
    return made


def test_a_letter_goes_back_to_its_group_alone_with_its_id_and_lands_once(
    mesh: Mesh, product: str, books: Books
) -> None:
    box = mesh.letters(product)
    letters = list(box.letters())
    assert [(letter.code, letter.group) for letter in letters] == [("MESH-E090", books.group)] * 2
    for _ in range(2):
        ((target, done),) = box.replay(Choice()).items()
        assert target.group == books.group
    assert ([len(done.sent), len(done.before)], box.gone_back(letters)) == ([0, 2], {0, 1})
    books.mended = True
    books.run(mesh, product, lambda handled: handled.events == 2)
    ids = {row["celsius"]: event_id for event_id, row in events(mesh, product)}
    assert sorted(books.kept[2:]) == sorted((ids[celsius], celsius) for celsius in (-1.0, -2.0))
    assert len(ids) == 4
    publish(mesh, product, [reading(7)])
    books.run(mesh, product, lambda handled: handled.events > 0)
    assert [celsius for _, celsius in books.kept[4:]] == [7.0]


def test_a_running_handler_takes_up_what_is_replayed_to_it(mesh: Mesh, product: str, books: Books) -> None:
    books.mended = True
    with mesh.handling(product, group=books.group, retries=AT_ONCE) as handling:
        turns = iter(range(200))
        handling.each(books, lambda: next(turns) < 2)
        mesh.letters(product).replay(Choice(numbers=frozenset({1})))
        handling.each(books, lambda: len(books.kept) < 3 and next(turns, None) is not None)
    assert books.kept[-1][1] == -2.0


def test_what_fails_again_after_a_replay_is_a_new_letter_that_can_go_back(
    mesh: Mesh, product: str, books: Books
) -> None:
    mesh.letters(product).replay(Choice(numbers=frozenset({0})))
    books.run(mesh, product, lambda handled: handled.dead_letters == 1)
    box = mesh.letters(product)
    ((_, done),) = box.rehearse(Choice()).items()
    assert [letter.number for letter in done.sent] == [1, 2]


def test_a_rehearsal_sends_nothing(mesh: Mesh, product: str, books: Books) -> None:
    box = mesh.letters(product)
    ((_, done),) = box.rehearse(Choice(), onto_product=True).items()
    assert len(done.sent) == 2
    assert box.gone_back(box.letters()) == frozenset()
    assert len(events(mesh, product)) == 4


def test_poison_that_is_poison_still_is_refused_with_the_reason(mesh: Mesh, product: str) -> None:
    send_raw(mesh, product, b"no frame at all")
    publish(mesh, product, [reading(1)])
    taken(mesh, product, f"tests.{fresh_name()}", 1, bad=1)
    ((_, done),) = mesh.letters(product).replay(Choice()).items()
    assert [(letter.event.value(), error.error_code) for letter, error in done.refused] == [
        (b"no frame at all", "MESH-E012")
    ]
    assert len(events(mesh, product)) == 1


def test_letters_of_two_groups_about_one_event_put_it_onto_the_topic_once(mesh: Mesh, product: str) -> None:
    publish(mesh, product, [{**reading(1), "celsius": -1.0}])
    for _ in range(2):
        Books().run(mesh, product, lambda handled: handled.dead_letters == 1)
    box = mesh.letters(product)
    ((target, done),) = box.replay(Choice(), onto_product=True).items()
    assert target.topic == mesh.port(product).topic
    assert ([letter.number for letter in done.sent], [letter.number for letter in done.before]) == ([0], [1])
    (first, again) = events(mesh, product)
    assert first == again


def test_of_two_replays_at_once_the_later_goes_on_and_the_earlier_lands_nothing(
    mesh: Mesh, product: str
) -> None:
    topic, bootstrap = mesh.port(product).topic, mesh.settings.bootstrap
    earlier = KafkaLanding(bootstrap, "mesh.replay.test")
    later = KafkaLanding(bootstrap, "mesh.replay.test")
    parcel = Parcel(topic, b"k", b"v", ())
    with pytest.raises(MeshError) as refusal:
        earlier.land([parcel])
    assert refusal.value.error_code == "MESH-E092"
    later.land([parcel, parcel])


def test_a_retry_topic_belongs_to_no_product_and_plans_leave_it_alone(
    mesh: Mesh, product: str, books: Books
) -> None:
    desired = declaration(product.partition(".")[2])
    topic = retry_topic(books.group, mesh.port(product).topic)
    assert topic in KafkaAdmin(mesh.settings.bootstrap).topics()
    assert topic not in mesh.world().actual(desired).topics


@pytest.fixture
def command(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """`mesh dlq` on this mesh: exit code, output, what people are told."""
    for name, value in (
        ("MESH_KAFKA_BOOTSTRAP", mesh.settings.bootstrap),
        ("MESH_PLATFORM_URL", mesh.settings.platform_url),
        ("MESH_TOKEN", mesh.settings.token),
    ):
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(build(), ["dlq", *arguments])
        if isinstance(done.exception, MeshError):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def test_the_command_counts_shows_and_replays(
    command: Callable[..., tuple[int, str, str]], product: str, books: Books
) -> None:
    _, out, _ = command("list", product, "--json")
    (heap,) = json.loads(out)["reasons"]
    assert (heap["count"], heap["open"], heap["code"], heap["group"]) == (2, 2, "MESH-E090", books.group)
    _, out, _ = command("list", product, "--since", "PT1S", "--each", "--code", "MESH-E020")
    assert out == ""
    _, out, _ = command("show", product, "1", "--json")
    letter = json.loads(out)["letter"]
    assert letter["event"]["celsius"] == -2.0
    assert letter["reason"] == "LookupError: no book below zero"
    assert bytes.fromhex(letter["hex"])[:1] == b"\0"
    code, _, told = command("replay", product, "1")
    assert (code, told) == (0, f"1 went to the group {books.group}; 0 had gone before; 0 refused\n")
    _, out, _ = command("list", product, "--each", "--json")
    assert [row["state"] for row in json.loads(out)["letters"]] == ["open", "replayed"]


def test_the_command_shows_what_cannot_be_read_as_hex_and_obeys_no_control_characters(
    mesh: Mesh, product: str, command: Callable[..., tuple[int, str, str]]
) -> None:
    send_raw(mesh, product, b"\x1b[2Jred")
    publish(mesh, product, [reading(1)])
    taken(mesh, product, f"tests.{fresh_name()}", 1, bad=1)
    _, out, _ = command("show", product, "0")
    assert "0000  1b 5b 32 4a 72 65 64" in out
    assert "\x1b" not in out
    code, _, told = command("replay", product, "--all", "--dry-run")
    assert code == 1
    assert "letter 0: MESH-E012" in told


def test_a_replay_asks_which_letters_are_meant(
    product: str, command: Callable[..., tuple[int, str, str]]
) -> None:
    with pytest.raises(MeshError, match="no letters are chosen"):
        command("replay", product)


def events(mesh: Mesh, product: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (Event(row, message).id, row)
        for batch in mesh.read(product).batches()
        for row, message in zip(batch.rows(), batch.messages, strict=True)
    ]
