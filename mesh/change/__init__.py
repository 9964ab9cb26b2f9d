"""What changed between two declared texts, for people and machines, and which version it needs.

`contract_difference` compares two contracts, `differences` two declarations; `version_findings` says which
versions are too low.
"""

from mesh.change.bump import Bump, needed
from mesh.change.contracts import contract_difference
from mesh.change.declarations import differences
from mesh.change.model import Change, Difference, Reason
from mesh.change.products import product_difference
from mesh.change.versions import finding_of, version_finding, version_findings

__all__ = [
    "Bump",
    "Change",
    "Difference",
    "Reason",
    "contract_difference",
    "differences",
    "finding_of",
    "needed",
    "product_difference",
    "version_finding",
    "version_findings",
]
