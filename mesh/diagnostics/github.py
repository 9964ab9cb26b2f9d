"""Findings as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mesh.errors import Finding, Location, Severity

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def commands(findings: Sequence[Finding]) -> str:
    """`::error file=…,line=…,col=…,title=…::message`, a line each."""
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    place = finding.where
    parts: dict[str, object] = {}
    if isinstance(place, Location):
        parts = {"file": place.file, "line": place.line, "col": place.column}
    parts["title"] = finding.code
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in parts.items())
    told = [finding.message if isinstance(place, Location) else f"{place}: {finding.message}"]
    told += [f"{label}: {text}" for label, text in (("why", finding.why), ("next", finding.fix)) if text]
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(chr(10).join(told))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
