"""What integration tests share: one PostgreSQL server for all who keep something in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.postgres_server import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of this worker; its tests are of the group of that name."""
    with postgres_server() as address:
        yield address
