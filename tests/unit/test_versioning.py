"""Semantic versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import UsageError
from mesh.versioning import Version

numbers = st.integers(0, 999_999_999)


@given(numbers, numbers, numbers)
def test_a_version_written_and_read_is_the_same(major: int, minor: int, patch: int) -> None:
    version = Version(major, minor, patch)
    assert Version.parse(str(version)) == version


def test_a_leading_v_is_read() -> None:
    assert Version.parse("v1.2.3") == Version(1, 2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-rc1",
        "1.0.0+b",
        " 1.0.0",
        "1.0.0\n",
        "1.-1.0",
        "a.b.c",
        "1.2٣.0",
        "1.0.1234567890",
        "V1.0.0",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Version.parse(text)
    assert caught.value.error_code == "MESH-U011"
    assert caught.value.why


def test_versions_are_ordered_by_number() -> None:
    ordered = ["0.9.9", "1.0.0", "1.0.10", "1.2.0", "1.10.0", "2.0.0", "10.0.0"]
    assert sorted(["10.0.0", *ordered[3:6], *ordered[:3]], key=Version.parse) == ordered
