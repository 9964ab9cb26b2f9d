"""Reading the keys of a policy file: what has the wrong form becomes a finding, and reading goes on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from mesh.contract.yaml import Document, Path
from mesh.errors import DeclarationError, Finding

_SHOWN = 80


class Forms:
    """A policy file under reading, with what is wrong in it so far."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Finding] = []

    def refuse(self, path: Path, message: str, why: str, fix: str, code: str = "MESH-C163") -> None:
        """Note a problem."""
        where = self.document.at(*path)
        self.found.append(Finding(code=code, message=message, where=where, why=why, fix=fix))

    def take(self, error: DeclarationError, path: Path) -> None:
        """Note what something that a key names had to say."""
        where = error.where or self.document.at(*path)
        self.found.append(
            Finding(code=error.error_code, message=error.what, where=where, why=error.why, fix=error.fix)
        )

    def error(self) -> DeclarationError:
        """All problems as one error."""
        first = self.found[0]
        more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
        return DeclarationError(
            first.message + more,
            code=first.code,
            where=first.where,
            why=first.why,
            fix=first.fix,
            findings=self.found,
        )

    def known_keys(self, data: Mapping[str, Any], known: Sequence[str], path: Path) -> None:
        """Refuse keys that mean nothing here."""
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                self.refuse(
                    (*path, key),
                    f"unknown key {key[:_SHOWN]!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
                    "known here: " + ", ".join(known),
                    f"write {near[0]}" if near else "remove it",
                )

    def text(self, data: Mapping[str, Any], key: str, path: Path, *, required: bool = False) -> str:
        """Text; empty when it is missing or wrong."""
        value = data.get(key)
        if value is None and not required:
            return ""
        if isinstance(value, str) and value.strip():
            return value
        self._wrong(data, key, path, "text")
        return ""

    def boolean(self, data: Mapping[str, Any], key: str, path: Path, *, default: bool) -> bool:
        """True or false."""
        value = data.get(key, default)
        if isinstance(value, bool):
            return value
        self._wrong(data, key, path, "true or false")
        return default

    def mapping(
        self, data: Mapping[str, Any], key: str, path: Path, *, required: bool = False
    ) -> Mapping[str, Any]:
        """A mapping; empty when it is missing or wrong."""
        value = data.get(key)
        if isinstance(value, dict):
            return value
        if value is not None or required:
            self._wrong(data, key, path, "a mapping")
        return {}

    def texts(self, data: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
        """A list of texts; empty when it is missing or wrong."""
        value = data.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self._wrong(data, key, path, "a list of texts")
        return ()

    def entries(self, data: Mapping[str, Any], key: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The mappings of a list, each with its path."""
        value = data.get(key)
        if value is None:
            return
        if not isinstance(value, list):
            self._wrong(data, key, (), "a list")
            return
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield (key, index), item
            else:
                self._wrong(data, f"{key}[{index}]", (key, index), "a mapping", at=())

    def choice(
        self, data: Mapping[str, Any], key: str, known: Sequence[str], path: Path, *, required: bool = False
    ) -> Any:
        """One of the known words; empty when it is missing or wrong."""
        value = data.get(key)
        if value is None and not required:
            return ""
        if value is None:
            self._wrong(data, key, path, "one of: " + ", ".join(known))
        elif not isinstance(value, str) or value not in known:
            self.not_among(value, known, (*path, key))
            return ""
        return value or ""

    def choices(
        self, data: Mapping[str, Any], key: str, known: Sequence[Any], path: Path, *, required: bool = False
    ) -> tuple[Any, ...]:
        """One of the known words, or a list of them."""
        value = data.get(key)
        if not isinstance(value, list):
            one = self.choice(data, key, known, path, required=required)
            return (one,) if one else ()
        for index, item in enumerate(value):
            if item not in known:
                self.not_among(item, known, (*path, key, index))
        if not value:
            self._wrong(data, key, path, "one of: " + ", ".join(known))
        return tuple(item for item in known if item in value)

    def day(self, data: Mapping[str, Any], key: str, path: Path, *, required: bool = False) -> date | None:
        """A day of the calendar, written 2026-12-31."""
        value = data.get(key)
        if value is None and not required:
            return None
        try:
            if isinstance(value, str) and len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        self._wrong(data, key, path, "a day such as 2026-12-31")
        return None

    def not_among(self, value: Any, known: Sequence[str], path: Path) -> None:
        """Refuse a word that is not one of those known."""
        near = difflib.get_close_matches(str(value)[:_SHOWN], known, n=1)
        name = next((part for part in reversed(path) if isinstance(part, str)), "the value")
        self.refuse(
            path,
            f"{name} cannot be {str(value)[:_SHOWN]!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            "allowed: " + ", ".join(known),
            f"write {near[0]}" if near else f"write one of: {', '.join(known)}",
            code="MESH-C164",
        )

    def _wrong(
        self, data: Mapping[str, Any], key: str, path: Path, wanted: str, at: Path | None = None
    ) -> None:
        value = data.get(key)
        place = (*path, key) if at is None else path
        if value is None and at is None:
            name = ".".join(map(str, (*path, key)))
            self.refuse(path, f"{name} is missing", f"expected {wanted}", f"write {key}: …")
        else:
            self.refuse(
                place, f"{key} is not {wanted}", f"found {str(value)[:_SHOWN]!r}", "correct the value"
            )
