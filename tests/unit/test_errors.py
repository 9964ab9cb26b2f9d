"""The error tree: drawn as it is, with facts, and readable."""

from __future__ import annotations

import pickle
import re

import pytest

from mesh import errors
from mesh.errors import Finding, Location, MeshError, Position, RegistryError, UnreachableError, UsageError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MeshError)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_drawn_tree_names_every_error_with_its_letter_and_exit_code(kind: type[MeshError]) -> None:
    assert errors.__doc__ is not None
    line = next(line for line in errors.__doc__.splitlines() if re.search(rf"\b{kind.__name__}\b", line))
    if kind is not MeshError:
        assert kind.code[:6] in line
        assert line.endswith(f"exit {kind.exit_code}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_one_sentence_for_a_docstring(kind: type[MeshError]) -> None:
    assert kind.__doc__ is not None
    assert kind.__doc__.endswith(".")


def test_codes_of_errors_are_their_own() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_an_error_tells_where_what_why_and_what_next() -> None:
    error = UsageError(
        "no such thing", code="MESH-U099", where=Location("a.yaml", 3, 5), why="it went", fix="mesh up"
    )
    assert str(error) == "a.yaml:3:5: MESH-U099 no such thing\n  why:  it went\n  next: mesh up"


def test_an_error_without_more_is_one_line_with_the_code_of_its_kind() -> None:
    assert str(UnreachableError("gone")) == "MESH-X001 gone"


def test_a_registry_error_carries_what_the_registry_answered() -> None:
    error = RegistryError("refused", status=409, registry_code=40901)
    assert (error.status, error.registry_code, error.exit_code) == (409, 40901, 1)


def test_a_finding_reads_like_a_compilers_message() -> None:
    assert str(Finding(code="MESH-C099", message="odd", where=Location("a", 1, 2))) == "a:1:2: MESH-C099 odd"


def test_a_place_on_a_topic_is_told_short() -> None:
    assert str(Position("ops.flights.v1", 2, 77)) == "ops.flights.v1/2/77"


def test_an_error_survives_the_way_to_another_process() -> None:
    error = UsageError("x", code="MESH-U099", where=Location("a"), why="b", fix="c")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.error_code) == (str(error), error.error_code)
