"""What the HTTP routes need of the registry behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mesh_platform.registry.model import Outcome
from mesh_platform.registry.state import RegistryState


class RegistryService(Protocol):
    """A registry that answers reads from its state and puts writes through the control log."""

    @property
    def state(self) -> RegistryState:
        """The view of the log as of now: for reads only."""
        ...

    async def current(self) -> None:
        """Wait until the view is not behind what any process of the platform has answered."""
        ...

    async def submit(self, kind: str, body: Mapping[str, object], actor: str, command: str = "") -> Outcome:
        """Append a record, wait until it is applied here, give its outcome (STORE_TIMEOUT when late).

        A `command` that came before gets the answer it got then.
        """
        ...
