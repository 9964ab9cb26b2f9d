"""Plans are values: made from desired and actual without touching either."""

from mesh.plan.actual import Actual, ContractFacts, ProductFacts, SubjectFacts, TopicFacts, base_of
from mesh.plan.changes import Blocked, Change, Plan
from mesh.plan.diff import make_plan

__all__ = [
    "Actual",
    "Blocked",
    "Change",
    "ContractFacts",
    "Plan",
    "ProductFacts",
    "SubjectFacts",
    "TopicFacts",
    "base_of",
    "make_plan",
]
