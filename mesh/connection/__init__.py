"""The composition root: settings in, a connected mesh out. Clients are built here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mesh.adapters.http import Http
from mesh.config import Settings, load
from mesh.connection.deriving import Deriving
from mesh.connection.publishing import Publishing
from mesh.connection.subscribing import Subscribing

if TYPE_CHECKING:
    from mesh.adapters.registry_copies import RegistryReader

__all__ = ["Mesh", "connect", "registry_at"]


class Mesh(Publishing, Subscribing, Deriving):
    """One mesh, connected. Publishers and subscriptions are closed by whoever opened them."""


def connect(settings: Settings | None = None) -> Mesh:
    """The mesh that the environment or `mesh up` names; raises UsageError when there is none."""
    return Mesh(settings or load())


@contextmanager
def registry_at(url: str, token: str) -> Iterator[RegistryReader]:
    """A registry elsewhere, to be read; raises UsageError for what is no address."""
    from mesh.adapters.registry_copies import RegistryReader

    http = Http(url, token, name="schema registry")
    try:
        yield RegistryReader(http)
    finally:
        http.close()
