"""Desired against actual: the changes that lead from one to the other, in the order they are carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh.declaration import Declaration
from mesh.plan.access import wanted_grants
from mesh.plan.actual import Actual, base_of
from mesh.plan.changes import (
    Blocked,
    Change,
    DeclareContract,
    DeclareProduct,
    DeclareRefinedContract,
    GrantAccess,
)
from mesh.plan.plan import Plan, declaration_hash, text_hash
from mesh.plan.scope import scope_of
from mesh.plan.subjects import subject_changes
from mesh.plan.topics import topic_changes
from mesh.plan.undeclared import undeclared

NO_AUTHORIZER = "the cluster shows no authorizer: ACLs are not planned"


def make_plan(desired: Declaration, actual: Actual, domains: Iterable[str] = ()) -> Plan:
    """The changes that lead from actual to desired; empty when they agree.

    `domains` are those of which everything is declared: what else is there under them is kept, and named.
    """
    steps = (
        *_contracts(desired, actual),
        *topic_changes(desired, actual),
        *_grants(desired, actual),
        *subject_changes(desired, actual),
        *_products(desired, actual),
    )
    return Plan(
        steps,
        base_of(actual),
        scope_of(desired, domains),
        declaration_hash(desired),
        tuple(undeclared(desired, actual)),
        (NO_AUTHORIZER,) if actual.grants is None else (),
    )


def _contracts(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for contract in desired.contracts.values():
        known = actual.contracts.get(contract.id)
        document = contract.document
        if known is None:
            facts = contract.id, str(contract.version), document.file, document.text
            if contract.refined is not None:
                yield DeclareRefinedContract(*facts, contract.refined.text)
            else:
                yield DeclareContract(*facts)
        elif known.sha256 != contract.sha256:
            yield Blocked(
                contract.id,
                f"version {contract.version} is not approved",
                f"governance holds version {known.version} and this text differs from it",
                f"mesh propose {document.file}",
            )


def _grants(desired: Declaration, actual: Actual) -> Iterator[Change]:
    if actual.grants is not None:
        for grant in wanted_grants(desired):
            if grant not in actual.grants:
                yield GrantAccess(grant.name, grant)


def _products(desired: Declaration, actual: Actual) -> Iterator[Change]:
    for product in desired.products.values():
        known = actual.products.get(product.full_name)
        document = product.document
        if known is None or known.sha256 != text_hash(document.text):
            known_hash = known.sha256 if known else ""
            yield DeclareProduct(product.full_name, document.file, document.text, known_hash)
