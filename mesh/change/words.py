"""What a difference is called, in one line, wherever it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from mesh.change.model import Change, Difference, Party, Reason


def headline(difference: Difference) -> str:
    """Versions and what they should be: `1.0.0 → 1.0.1, needs 1.1.0 (minor)`."""
    if difference.before is None:
        return f"new {difference.kind}, version {difference.after}"
    if difference.after is None:
        return f"{difference.kind} is gone, was version {difference.before} ({difference.level})"
    versions = f"{difference.before} → {difference.after}"
    if difference.before == difference.after:
        versions = f"version {difference.after} in two texts"
    if not difference.level:
        return f"{versions}, nothing that a reader could notice"
    return f"{versions}, {'is' if difference.enough else 'needs'} {_needs(difference)}"


def told(change: Change) -> tuple[Reason, ...]:
    """The reasons that say more than the change itself does: that words are other words, everybody sees."""
    return tuple(reason for reason in change.reasons if reason.aspect != "words")


def parties(concerned: Sequence[Party]) -> str:
    """Whom a reason concerns: `for readers and publishers`."""
    return "for " + " and ".join(f"{party}s" for party in concerned)


def _needs(difference: Difference) -> str:
    if difference.enough or difference.needed is None:
        return f"a {difference.level} change"
    return f"{difference.needed} (a {difference.level} change)"
