"""Stateful derived products: windows and tables of totals, kept by Faust, published as they grow."""

from mesh.streams.model import Stateful, Stop
from mesh.streams.tables import TableStream
from mesh.streams.windows import Key, WindowedStream

__all__ = ["Key", "Stateful", "Stop", "TableStream", "WindowedStream"]
