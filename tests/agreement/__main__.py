"""`python -m tests.agreement [seconds]`: rounds with new rules and events until the time is over."""

from __future__ import annotations

import sys
import time

from tests.agreement.comparing import compare

_RULES, _VALUES = 6, 12


def main(seconds: float) -> int:
    """1 when an engine disagreed."""
    ends = time.monotonic() + seconds
    seed = int(time.time())
    rounds, verdicts = 0, 0
    while time.monotonic() < ends:
        found = compare(seed + rounds, _RULES, _VALUES)
        for difference in found.differences:
            print(f"seed {seed + rounds}: {difference}")
        if found.differences:
            return 1
        rounds += 1
        verdicts += sum(found.judged.values())
    print(f"{rounds} rounds, {verdicts:,} verdicts, all agree")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]) if sys.argv[1:] else 60))
