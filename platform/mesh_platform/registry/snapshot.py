"""The registry's view as JSON and back: ids, versions and settings as they stand, nothing judged anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeVar

from mesh.compatibility import Level
from mesh_platform.registry.config import Config
from mesh_platform.registry.contexts import context_of
from mesh_platform.registry.kinds import Kind
from mesh_platform.registry.model import Content, Reference, Version
from mesh_platform.registry.settings import Mode, Settings
from mesh_platform.registry.state import RegistryState

Item = TypeVar("Item")
_KINDS: Final = {kind.value: kind for kind in Kind}
_TOGETHER: Final = 200  #: rows a line: neither many small lines nor one too large


def snapshot(state: RegistryState) -> Iterator[tuple[list[Any], list[str]]]:
    """The view as of now, in parts of bounded size with their texts; it may change while they are taken."""
    contexts = [
        (name, ids.last, ids.listed, list(ids.contents.items()))
        for name, ids in sorted(state.subjects.rooms().items())
    ]
    stored = state.subjects.stored()
    settings = asdict(state.settings)

    def parts() -> Iterator[tuple[list[Any], list[str]]]:
        for name, last, listed, contents in contexts:
            yield ["context", [name, last, listed]], []
            for some in _batches(contents):
                rows = [_content_row(*one) for one in some]
                yield ["contents", name, rows], [content.text for _, content in some]
        subjects = [
            [subject, sorted(_version_row(version) for version in versions)]
            for subject, versions in groupby(stored, key=attrgetter("subject"))
        ]
        for chunk in _batches(sorted(subjects)):
            yield ["subjects", chunk], []
        yield ["settings", settings], []

    return parts()


def restore(state: RegistryState, part: list[Any], texts: Sequence[str]) -> None:
    """Take one part into a view that is being restored, in the order they were given."""
    match part:
        case ["context", [name, last, listed]]:
            ids = state.subjects.room(name)
            ids.last, ids.listed = last, listed
        case ["contents", name, rows]:
            ids = state.subjects.room(name)
            for (schema_id, identity, guid, *facts), text in zip(rows, texts, strict=True):
                ids.put(schema_id, _content(text, *facts), bytes.fromhex(identity), bytes.fromhex(guid))
        case ["subjects", rows]:
            for name, versions in rows:
                contents = state.subjects.room(context_of(name)).contents
                state.subjects.put(
                    name,
                    [
                        Version(name, number, schema_id, contents[schema_id], time, deleted)
                        for number, schema_id, time, deleted in versions
                    ],
                )
        case ["settings", settings]:
            state.settings = _settings(settings)
        case _:
            raise ValueError(part[0])


def _content_row(schema_id: int, content: Content) -> list[Any]:
    references = [[one.name, one.subject, one.version] for one in content.references]
    documents = [content.metadata, content.rule_set]
    return [
        schema_id,
        content.identity.hex(),
        content.guid_key.hex(),
        content.kind,
        references,
        *documents,
    ]


def _content(text: str, kind: str, references: list[Any], metadata: Any, rule_set: Any) -> Content:
    used = tuple(Reference(*one) for one in references) if references else ()
    return Content(_KINDS[kind], text, used, metadata, rule_set)


def _version_row(version: Version) -> list[Any]:
    return [version.version, version.id, version.time, version.deleted]


def _settings(facts: Mapping[str, Any]) -> Settings:
    return Settings(
        config=_config(facts["config"]),
        configs={subject: _config(config) for subject, config in facts["configs"].items()},
        mode=Mode(facts["mode"]),
        modes={subject: Mode(mode) for subject, mode in facts["modes"].items()},
    )


def _config(facts: Mapping[str, Any]) -> Config:
    level = facts["level"]
    return Config(**{**facts, "level": None if level is None else Level(level)})


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))
