"""Plans are values: made from desired and actual without touching either."""

from mesh.plan.actual import Actual, ContractFacts, ProductFacts, SubjectFacts, TopicFacts, base_of
from mesh.plan.changes import Blocked, Change
from mesh.plan.diff import make_plan
from mesh.plan.plan import Plan
from mesh.plan.risk import Consent, Risk

__all__ = [
    "Actual",
    "Blocked",
    "Change",
    "Consent",
    "ContractFacts",
    "Plan",
    "ProductFacts",
    "Risk",
    "SubjectFacts",
    "TopicFacts",
    "base_of",
    "make_plan",
]
