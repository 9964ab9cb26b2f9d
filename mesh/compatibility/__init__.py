"""What a change of schema breaks: for whom, where, and what to do.

`check` gives the verdict that schema registries give; `logical_changes` what they overlook.
"""

from mesh.compatibility.check import Direction, Incompatibility, check, compare
from mesh.compatibility.levels import Level
from mesh.compatibility.logical_changes import LogicalChange, logical_changes
from mesh.compatibility.resolution import Problem, ProblemType, problems

__all__ = [
    "Direction",
    "Incompatibility",
    "Level",
    "LogicalChange",
    "Problem",
    "ProblemType",
    "check",
    "compare",
    "logical_changes",
    "problems",
]
