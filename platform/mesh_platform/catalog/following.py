"""Following one product's events from its start, without a group: how quality results are heard of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mesh_platform.catalog.observed import ObservedTopic

if TYPE_CHECKING:
    from mesh.adapters.kafka_receiver import BoundedReceiver
    from mesh.connection import Mesh
    from mesh.decoding import Decoder

MOST = 5_000


class Following:
    """Waits until the product exists, then hands over each event once."""

    def __init__(self, mesh: Mesh, product: str) -> None:
        self._mesh = mesh
        self._product = product
        self._open: tuple[BoundedReceiver, Decoder] | None = None

    def fresh(self, topics: Mapping[str, ObservedTopic]) -> Iterator[Mapping[str, Any]]:
        """What has come since the last time; nothing while the product's topic is not there."""
        if self._open is None and not any(name.startswith(self._product + ".") for name in topics):
            return
        receiver, decoder = self._open = self._open or self._opened()
        while messages := receiver.take(MOST, 0.2):
            batch, _ = decoder.decode(messages)
            yield from batch.rows()

    def _opened(self) -> tuple[BoundedReceiver, Decoder]:
        from mesh.adapters.kafka_receiver import BoundedReceiver
        from mesh.decoding import Decoder

        port = self._mesh.port(self._product)
        return BoundedReceiver(self._mesh.settings.bootstrap, port.topic), Decoder(port, self._mesh.registry)

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open[0].close()
