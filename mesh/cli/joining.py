"""Which commands other packages bring (`mesh.commands`), found without importlib.metadata.

That imports e-mail, archives and CSV: a third of what `mesh --help` may take. So installed metadata is
read where pip and its like put it, in folders; where something else provides it, importlib.metadata is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any

GROUP = "mesh.commands"


def joined(path: Sequence[str] | None = None) -> list[Callable[..., Any]]:
    """What every installed package adds, by the name of its entry."""
    return [_loaded(target) for _, target in sorted(entries(sys.path if path is None else path))]


def entries(path: Sequence[str]) -> list[tuple[str, str]]:
    """`(name, "module:attribute")` of each entry of the group; of one distribution, the first on the path."""
    folders = [folder or os.curdir for folder in path]
    if any(map(os.path.isfile, folders)) or _others_provide():
        return _by_the_library(path)
    seen: dict[str, list[tuple[str, str]]] = {}
    for folder in folders:
        for distribution, file in _metadata(folder):
            if distribution not in seen:
                seen[distribution] = list(_of_group(file))
    return [entry for found in seen.values() for entry in found]


def _metadata(folder: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            distribution = name.rpartition(".")[0].partition("-")[0].replace("-", "_").lower()
            yield distribution, os.path.join(folder, name, "entry_points.txt")


def _of_group(file: str) -> Iterator[tuple[str, str]]:
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except OSError:
        return
    section = ""
    for line in map(str.strip, text.splitlines() if GROUP in text else ()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, target = line.partition("=")
            yield name.strip(), target.strip()


def _others_provide() -> bool:
    return any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path)


def _by_the_library(path: Sequence[str]) -> list[tuple[str, str]]:
    from importlib.metadata import distributions

    found: dict[str, list[tuple[str, str]]] = {}
    for one in distributions(path=list(path)):
        mine = [(entry.name, entry.value) for entry in one.entry_points if entry.group == GROUP]
        found.setdefault(one.metadata["Name"], mine)
    return [entry for mine in found.values() for entry in mine]


def _loaded(target: str) -> Callable[..., Any]:
    module, _, attribute = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), attribute)
    return found
