"""Every moment at which a process could be killed, one after the other, instead of some of them by chance.

While something is done to a folder, its files are copied before and after each file operation, and in the
middle of each write. What is opened from any of these copies is what a process killed there would leave.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from unittest import mock

Promise = TypeVar("Promise")
_OPERATIONS = ("replace", "rename", "unlink", "ftruncate", "fsync")


@dataclass(frozen=True, slots=True)
class Moment(Generic[Promise]):
    """A folder as it was, what had been promised by then, and where that was."""

    where: str
    files: dict[str, bytes]
    promised: Promise

    def restore(self, folder: Path) -> Path:
        """The folder as it was, somewhere else."""
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder


@dataclass(slots=True)
class Watch(Generic[Promise]):
    """Copies a folder at every moment; `promise` says what was promised so far."""

    folder: Path
    promise: Callable[[], Promise]
    moments: list[Moment[Promise]] = field(default_factory=list)

    def copy(self, where: str) -> None:
        files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        moment = Moment(where, files, self.promise())
        if not self.moments or (self.moments[-1].files, self.moments[-1].promised) != (
            files,
            moment.promised,
        ):
            self.moments.append(moment)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch while the context lasts."""
        with contextmanager(self._patched)():
            yield
        self.copy("end")

    def _patched(self) -> Iterator[None]:
        patches: dict[str, Any] = {name: self._around(name, getattr(os, name)) for name in _OPERATIONS}
        patches |= {"pwrite": self._torn(os.pwrite), "open": self._around("open", os.open)}
        with mock.patch.multiple(os, **patches):
            yield

    def _around(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **settings: Any) -> Any:
            self.copy(f"before {name} {arguments[0]}")
            result = operation(*arguments, **settings)
            self.copy(f"after {name} {arguments[0]}")
            return result

        return watched

    def _torn(self, operation: Callable[..., int]) -> Callable[..., int]:
        def watched(fd: int, data: Any, at: int) -> int:
            half = operation(fd, memoryview(data)[: len(data) // 2], at)
            self.copy("in the middle of a write")
            written = half + operation(fd, memoryview(data)[half:], at + half)
            self.copy("after a write")
            return written

        return watched
