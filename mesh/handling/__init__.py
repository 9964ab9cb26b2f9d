"""Handlers over a subscription: retries on a retry topic, dead letters, order per key."""

from mesh.handling.event import Event
from mesh.handling.retries import Retries
from mesh.handling.run import Handled, Handling

__all__ = ["Event", "Handled", "Handling", "Retries"]
