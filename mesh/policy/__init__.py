"""Policies as code: what an organisation asks of contracts, products and changes, checked by the mesh."""

from mesh.policy.evaluation import Outcome, evaluate, findings, findings_of, judge
from mesh.policy.model import Policy, PolicySet, Undecided, Violation
from mesh.policy.shelf import Shelf, built_in, shelve
from mesh.policy.subject import Subject
from mesh.policy.subjects import changed, of_change, of_contract, of_product, subjects

__all__ = [
    "Outcome",
    "Policy",
    "PolicySet",
    "Shelf",
    "Subject",
    "Undecided",
    "Violation",
    "built_in",
    "changed",
    "evaluate",
    "findings",
    "findings_of",
    "judge",
    "of_change",
    "of_contract",
    "of_product",
    "shelve",
    "subjects",
]
