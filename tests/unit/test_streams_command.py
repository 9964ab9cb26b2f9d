"""`python -m mesh.streams`: what it says when there is nothing to run."""

from __future__ import annotations

import threading

import pytest

from mesh.errors import UsageError
from mesh.streams.__main__ import run


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "named: []"),
        (["tests.nowhere:STREAM"], "No module named"),
        (["tests.unit.test_streams_command"], "has no attribute"),
        (["tests.unit.test_streams_command:pytest"], "it is a module"),
    ],
)
def test_a_name_that_is_no_stream_is_refused_with_the_reason(names: list[str], why: str) -> None:
    with pytest.raises(UsageError, match="MESH-U072") as caught:
        run(names, threading.Event())

    assert why in caught.value.why
    assert caught.value.exit_code == 2
    assert caught.value.fix == "python -m mesh.streams PACKAGE.MODULE:OBJECT"
