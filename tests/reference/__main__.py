"""`python -m tests.reference` writes the generated pages of the reference; with --check it only compares."""

from __future__ import annotations

import sys

from tests.reference import DOCS, PAGES


def main(arguments: list[str]) -> int:
    """Write the pages that are stale; with --check name them and answer 1."""
    stale = [name for name, made in PAGES.items() if _written(name) != made()]
    for name in stale:
        if "--check" in arguments:
            print(f"docs/{name} is stale; run: python -m tests.reference", file=sys.stderr)
        else:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"docs/{name}")
    return 1 if stale and "--check" in arguments else 0


def _written(name: str) -> str:
    file = DOCS / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
