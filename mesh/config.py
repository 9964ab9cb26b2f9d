"""Settings: where the mesh is. Environment first, then the state that `mesh up` left, then defaults.

| setting | environment | from `mesh up` |
|---|---|---|
| Kafka bootstrap servers | MESH_KAFKA_BOOTSTRAP | .mesh/run.json |
| platform address | MESH_PLATFORM_URL | .mesh/run.json |
| registry address | MESH_REGISTRY_URL | <platform>/registry |
| token | MESH_TOKEN or MESH_TOKEN_FILE | .mesh/token |
| token of a registry elsewhere | MESH_REGISTRY_TOKEN | the token, where the platform serves the registry |
| codec engine | MESH_CODEC (auto, fastavro) | |
| where events name their schema | MESH_FRAMING (prefix, header) | |
| memory of a query | MESH_SQL_MEGABYTES | |
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from mesh import limits
from mesh.errors import UsageError

STATE_FOLDER = ".mesh"
POLICIES_FOLDER = "policies"
RUN_FILE = "run.json"
TOKEN_FILE = "token"  # noqa: S105 - a file name

_MOST_MEGABYTES = 1_000_000
CodecChoice = Literal["auto", "fastavro"]
Framing = Literal["prefix", "header"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the mesh is, and the token it asks for."""

    bootstrap: str
    platform_url: str
    registry_url: str
    token: str = field(repr=False)
    codec: CodecChoice = "auto"
    registry_own_token: str = field(repr=False, default="")
    framing: Framing = "prefix"
    sql_megabytes: int = limits.QUERY_MEGABYTES

    @property
    def registry_token(self) -> str:
        """What opens the registry: its own token, or the platform's where the platform serves it.

        The platform's token is no business of a registry elsewhere.
        """
        at_the_platform = urlsplit(self.registry_url)[:2] == urlsplit(self.platform_url)[:2]
        return self.registry_own_token or (self.token if at_the_platform else "")


def load(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force; raises UsageError when no mesh is named (MESH-U030) or a setting is wrong."""
    env = os.environ if environ is None else environ
    state = find_state(start or Path.cwd(), env)
    run = _run(state)
    bootstrap = env.get("MESH_KAFKA_BOOTSTRAP") or run.get("bootstrap", "")
    platform = (env.get("MESH_PLATFORM_URL") or run.get("platform_url", "")).rstrip("/")
    if not bootstrap or not platform:
        raise UsageError(
            "no mesh is running here",
            code="MESH-U030",
            where=str(state),
            why=f"neither {state / RUN_FILE} nor MESH_KAFKA_BOOTSTRAP and MESH_PLATFORM_URL say where it is",
            fix="mesh up",
        )
    return Settings(
        bootstrap=bootstrap,
        platform_url=platform,
        registry_url=(env.get("MESH_REGISTRY_URL") or f"{platform}/registry").rstrip("/"),
        token=_token(state, env),
        registry_own_token=env.get("MESH_REGISTRY_TOKEN", ""),
        framing=_choice(env, "MESH_FRAMING", get_args(Framing)),
        codec=_choice(env, "MESH_CODEC", get_args(CodecChoice)),
        sql_megabytes=_megabytes(env.get("MESH_SQL_MEGABYTES")),
    )


def _choice(env: Mapping[str, str], name: str, allowed: Sequence[str]) -> Any:
    """One of the allowed words, the first unless another is set."""
    found = env.get(name) or allowed[0]
    if found not in allowed:
        raise UsageError(
            f"{name} cannot be {found!r}",
            code="MESH-U031",
            where=name,
            why=f"allowed: {', '.join(allowed)}",
            fix=f"unset {name}",
        )
    return found


def find_state(start: Path, environ: Mapping[str, str]) -> Path:
    """The state folder: MESH_STATE, else the nearest `.mesh` upwards, else one to be made here."""
    named = environ.get("MESH_STATE")
    if named:
        return Path(named)
    for folder in (start, *start.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder / STATE_FOLDER
    return start / STATE_FOLDER


def policies_folder(root: Path, environ: Mapping[str, str]) -> Path:
    """Where the policies of the mesh at `root` are: MESH_POLICIES, else `policies` in it.

    Raises UsageError (MESH-U143) when MESH_POLICIES names no folder: a typing error must not switch them off.
    """
    named = environ.get("MESH_POLICIES")
    if named and not Path(named).is_dir():
        raise UsageError(
            f"there is no folder {named}",
            code="MESH-U143",
            where="MESH_POLICIES",
            why="it names where the policies are",
            fix="make the folder, or unset MESH_POLICIES",
        )
    return Path(named) if named else root / POLICIES_FOLDER


def _run(state: Path) -> dict[str, str]:
    try:
        found = json.loads((state / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _megabytes(named: str | None) -> int:
    if not named:
        return limits.QUERY_MEGABYTES
    if named.isascii() and named.isdecimal() and 0 < int(named) <= _MOST_MEGABYTES:
        return int(named)
    raise UsageError(
        f"MESH_SQL_MEGABYTES cannot be {named!r}",
        code="MESH-U180",
        where="MESH_SQL_MEGABYTES",
        why=f"allowed: 1 to {_MOST_MEGABYTES:,}",
        fix=f"unset MESH_SQL_MEGABYTES: {limits.QUERY_MEGABYTES} is what a query gets without it",
    )


def _token(state: Path, env: Mapping[str, str]) -> str:
    if env.get("MESH_TOKEN"):
        return env["MESH_TOKEN"]
    named = env.get("MESH_TOKEN_FILE")
    try:
        return Path(named or state / TOKEN_FILE).read_text().strip()
    except (OSError, ValueError) as error:
        if not named:
            return ""
        raise UsageError(
            "the token file cannot be read",
            code="MESH-U032",
            where=named,
            why=f"MESH_TOKEN_FILE names it, and: {error}",
            fix="correct MESH_TOKEN_FILE, or unset it",
        ) from error
