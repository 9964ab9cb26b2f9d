"""What `mesh check` and `mesh ci` do alike: read, check, select, mend, compare with a baseline."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.cli.declarations import declared_in, sources_in
from mesh.cli.policies import policy_findings
from mesh.errors import Finding

if TYPE_CHECKING:
    from mesh.declaration import Declaration
    from mesh.diagnostics.baseline import Compared
    from mesh.diagnostics.fixes import Edit

_SUFFIXES = (".yaml", ".yml", ".avsc")


@dataclass(frozen=True)
class Checked:
    """What was asked for, with all that is to be said about it."""

    declared: Declaration
    findings: tuple[Finding, ...]
    texts: dict[str, str]  #: of the files that were selected

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """What `--fix` would mend."""
        if not self.findings:
            return ()
        from mesh.diagnostics.fixes import edits

        return edits(self.findings, self.texts, self.declared)

    def mended(self) -> Iterator[tuple[str, str]]:
        """Each file with its text as it would be."""
        from mesh.diagnostics.fixes import mended

        for file in dict.fromkeys(edit.file for edit in self.edits):
            yield file, mended(self.texts[file], [edit for edit in self.edits if edit.file == file])

    def patches(self) -> Iterator[str]:
        """What would change, as unified diffs."""
        for file, text in self.mended():
            before, after = (each.splitlines(keepends=True) for each in (self.texts[file], text))
            yield from difflib.unified_diff(before, after, f"a/{file}", f"b/{file}")

    def beside(self, baseline: Path | None) -> Compared:
        """What is new beside a baseline; raises UsageError (MESH-U106) when there is no such file."""
        from mesh.diagnostics.baseline import Compared, compared, known_from
        from mesh.errors import UsageError

        if baseline is None:
            return Compared(self.findings, (), ())
        if not baseline.is_file():
            raise UsageError(
                "there is no such baseline",
                code="MESH-U106",
                where=str(baseline),
                why="known findings are read from it",
                fix=f"mesh check --write-baseline --baseline {baseline}",
            )
        known = known_from(baseline.read_text(encoding="utf-8", errors="replace"), str(baseline))
        return compared(self.findings, known, self.texts, self._looked_at(known))

    def _looked_at(self, known: Collection[object]) -> frozenset[str]:
        files = {getattr(entry, "file", "") for entry in known}
        gone = {file for file in files if not _on_disk(file).is_file()}
        return frozenset(self.texts) | gone


def checked(wanted: Sequence[str], against: str = "HEAD") -> Checked:
    """Everything is checked, then what was not asked for is left out; paths alone are read alone."""
    paths = [Path(each) for each in wanted if _is_path(each)]
    selectors = [each for each in wanted if not _is_path(each)]
    sources = sources_in(paths or None)
    declared = declared_in(sources, paths or None)
    findings = (*declared.findings, *policy_findings(declared))
    texts = {source.name: source.raw.decode("utf-8-sig", errors="replace") for source in sources}
    if not selectors:
        return Checked(declared, findings, texts)
    from mesh.selection import select

    chosen = select(selectors, declared, sources, _changed_since(against))
    return Checked(
        chosen.of(declared),
        tuple(finding for finding in findings if chosen.concerns(finding)),
        {name: text for name, text in texts.items() if chosen.holds(name)},
    )


def mend(found: Checked) -> None:
    """Write every file that has something to mend, byte for byte as it was elsewhere."""
    for file, text in found.mended():
        place = _on_disk(file)
        raw = place.read_bytes()
        mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
        place.write_bytes(mark + text.encode())


def write_known(found: Checked, baseline: Path) -> int:
    """Write all findings as a baseline; answers how many."""
    from mesh.diagnostics.baseline import baseline_text

    baseline.write_text(baseline_text(found.findings, found.texts), encoding="utf-8")
    return len(found.findings)


def _is_path(wanted: str) -> bool:
    return wanted.endswith(_SUFFIXES) or "/" in wanted or Path(wanted).exists()


def _on_disk(name: str) -> Path:
    from mesh.adapters.workspace import find_root

    return find_root(Path.cwd()) / name


def _changed_since(revision: str) -> Callable[[], Collection[str]]:
    def changed() -> Collection[str]:
        from mesh.adapters.git import changed_since
        from mesh.adapters.workspace import find_root

        return changed_since(revision, find_root(Path.cwd()))

    return changed
