"""A copy of a registry as files: one for the registry, one for each subject, readable and comparable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mesh.errors import UsageError
from mesh.migration.model import NO_SETTINGS, RegistryCopy, SchemaVersion, ScopeSettings, is_wide, version_of

FORMAT = "1.0"
REGISTRY_FILE = "registry.json"
SUBJECTS_FOLDER = "subjects"
#: No file system takes longer names, and some take `a` and `A` for one.
_NAME = 150


def write_copy(copy: RegistryCopy, folder: Path) -> int:
    """Write a copy into a new or empty folder; answers the number of files.

    Raises UsageError (MESH-U161) for a folder that holds something, or cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise _in_use(folder)
        (folder / SUBJECTS_FOLDER).mkdir(parents=True)
        files = 0
        for name, document in _documents(copy):
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            files += 1
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written",
            code="MESH-U161",
            where=str(folder),
            why=error.strerror or str(error),
            fix="choose another folder",
        ) from error
    return files


def read_copy(folder: Path) -> RegistryCopy:
    """The copy in a folder; raises UsageError (MESH-U162) for a folder or a file that holds none."""
    whole = _read(folder / REGISTRY_FILE)
    versions: list[SchemaVersion] = []
    settings: dict[str, ScopeSettings] = {}
    try:
        for scope, told in whole["settings"].items():
            settings[scope] = _settings(told)
        for file in sorted((folder / SUBJECTS_FOLDER).glob("*.json")):
            document = _read(file)
            subject = str(document["subject"])
            own = _settings(document)
            if own != NO_SETTINGS:
                settings[subject] = own
            versions += [
                version_of(one, subject=subject, deleted=bool(one.get("deleted", False)))
                for one in document["versions"]
            ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_copy(folder, f"{type(error).__name__}: {error}") from error
    return RegistryCopy(tuple(sorted(versions, key=lambda one: one.place)), settings)


def _documents(copy: RegistryCopy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    wide = {scope: _told(one) for scope, one in sorted(copy.settings.items()) if is_wide(scope)}
    yield REGISTRY_FILE, {"format_version": FORMAT, "settings": wide}
    versions: dict[str, list[SchemaVersion]] = {subject: [] for subject in copy.subjects}
    for version in copy.versions:
        versions[version.subject].append(version)
    for subject, held in versions.items():
        told = _told(copy.settings.get(subject, NO_SETTINGS))
        yield (
            f"{SUBJECTS_FOLDER}/{file_name(subject)}",
            {
                "format_version": FORMAT,
                "subject": subject,
                **told,
                "versions": [_version(one) for one in held],
            },
        )


def file_name(subject: str) -> str:
    """The file of a subject: its name where every file system takes it, else shortened and made distinct."""
    name = quote(subject, safe="")
    if name != name.lower() or len(name) > _NAME or name.startswith(".") or not name:
        name = f"{name[:_NAME].lstrip('.')}~{hashlib.sha256(subject.encode()).hexdigest()[:16]}"
    return f"{name}.json"


def _version(version: SchemaVersion) -> dict[str, Any]:
    body = version.body()
    body["deleted"] = version.deleted
    return {name: body[name] for name in sorted(body, key=_ORDER.index)}


_ORDER = ("version", "id", "deleted", "schemaType", "schema", "references", "metadata", "ruleSet")


def _told(settings: ScopeSettings) -> dict[str, Any]:
    told = {"config": settings.config, "mode": settings.mode}
    return {name: value for name, value in told.items() if value is not None}


def _settings(told: Mapping[str, Any]) -> ScopeSettings:
    config, mode = told.get("config"), told.get("mode")
    if not isinstance(config, dict | None) or not isinstance(mode, str | None):
        raise TypeError("config is an object, mode a text")
    return ScopeSettings(config, mode)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_copy(file, str(error)) from error
    if not isinstance(document, dict) or str(document.get("format_version", "")).partition(".")[0] != "1":
        raise _no_copy(file, "its format_version is not 1")
    return document


def _no_copy(where: Path, why: str) -> UsageError:
    return UsageError(
        "this is no copy of a registry",
        code="MESH-U162",
        where=str(where),
        why=why,
        fix="mesh registry export FOLDER",
    )


def _in_use(folder: Path) -> UsageError:
    return UsageError(
        f"{folder} is not empty",
        code="MESH-U161",
        where=str(folder),
        why="files of subjects that are gone would stay among the new ones",
        fix="choose a new folder, or empty this one",
    )
