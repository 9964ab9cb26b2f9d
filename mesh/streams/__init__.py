"""Stateful derived products: windows of totals, kept by Faust, published as they fill."""

from mesh.streams.model import Key, Stop, WindowedStream

__all__ = ["Key", "Stop", "WindowedStream"]
