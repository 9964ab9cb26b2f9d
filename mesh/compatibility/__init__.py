"""What a change of schema breaks: for whom, where, and what to do.

`verdict` is the whole answer; `check` gives the part that schema registries give, `logical_changes` what
they overlook.
"""

from mesh.compatibility.check import Direction, Incompatibility, check, compare
from mesh.compatibility.levels import Level
from mesh.compatibility.logical_changes import LogicalChange, logical_changes
from mesh.compatibility.resolution import Problem, ProblemType, problems
from mesh.compatibility.verdict import Outcome, Verdict, verdict

__all__ = [
    "Direction",
    "Incompatibility",
    "Level",
    "LogicalChange",
    "Outcome",
    "Problem",
    "ProblemType",
    "Verdict",
    "check",
    "compare",
    "logical_changes",
    "problems",
    "verdict",
]
