"""`python -m mesh_platform.broker`: the embedded broker as a process.

It prints one JSON line on stdout when it serves, and stops by SIGTERM, SIGINT or, with
--exit-with-parent, when its stdin ends. Exit code 0 after a clean stop, 1 when it cannot start.
"""

from __future__ import annotations

import sys

# kio imports hypothesis (1.5 s) wherever it happens to be installed, only to register its types with it.
sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]

from mesh_platform.broker.process import main, run  # noqa: E402

__all__ = ["main", "run"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
