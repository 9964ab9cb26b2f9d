"""Findings as a JUnit report: a test case for each file, a failure for each error in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml

from mesh.errors import Finding, Location

# What XML 1.0 has no way to write, not even as a reference.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(findings: Sequence[Finding], sources: Mapping[str, str]) -> str:
    """One suite; warnings stand in the case's output and fail nothing."""
    of_file: dict[str, list[Finding]] = {name: [] for name in sources}
    for finding in findings:
        place = finding.where
        of_file.setdefault(place.file if isinstance(place, Location) else str(place), []).append(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    counts = {"tests": str(len(of_file)), "failures": str(errors), "errors": "0", "skipped": "0"}
    root = Xml.Element("testsuites", {"name": "mesh", **counts})
    suite = Xml.SubElement(root, "testsuite", {"name": "mesh check", **counts})
    for name, found in of_file.items():
        case = Xml.SubElement(suite, "testcase", {"name": _clean(name), "classname": "mesh.check"})
        for finding in found:
            if finding.severity == "error":
                about = {"type": finding.code, "message": _clean(f"{finding.code} {finding.message}")}
                Xml.SubElement(case, "failure", about).text = _clean(_told(finding))
        others = [_told(finding) for finding in found if finding.severity != "error"]
        if others:
            Xml.SubElement(case, "system-out").text = _clean("\n".join(others))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _told(finding: Finding) -> str:
    lines = [str(finding)]
    lines += [f"  {label} {text}" for label, text in (("why: ", finding.why), ("next:", finding.fix)) if text]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
