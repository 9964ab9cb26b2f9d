"""What the platform's API takes and gives, as types; the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mesh_platform.governance.state import ApprovedVersion, DeclaredProduct

Text = Annotated[str, Field(max_length=1_048_576)]
Name = Annotated[str, Field(max_length=255)]


class Model(BaseModel):
    """A request body; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class DeclarationIn(Model):
    """A contract or product file, as text."""

    file: Name
    text: Text


class ContractIn(DeclarationIn):
    """A contract, and the Avro schema beside it when there is one."""

    avro: Text = ""


class ProposalIn(ContractIn):
    """A changed contract, and why."""

    reason: Annotated[str, Field(max_length=4_000)] = ""


class DecisionIn(Model):
    """A decision on exactly the text with this hash."""

    decision: Literal["approve", "refuse"]
    reason: Annotated[str, Field(min_length=1, max_length=4_000)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SubscriptionIn(Model):
    """Who reads a product, which fields, and for what."""

    product: Name
    group: Name
    fields: Annotated[list[Name], Field(max_length=1_000)] = []
    purpose: Annotated[str, Field(max_length=1_000)] = ""


class ContractOut(BaseModel):
    """A contract in force."""

    id: str
    version: str
    sha256: str
    text: str
    avro: str
    approved_by: str
    approved_at: str
    rule_set: dict[str, Any] | None  #: null for what an earlier release approved

    @classmethod
    def of(cls, version: ApprovedVersion) -> ContractOut:
        """As it was approved last."""
        return cls(
            id=version.contract_id,
            version=version.version,
            sha256=version.sha256,
            text=version.text,
            avro=version.schema,
            approved_by=version.approved_by,
            approved_at=version.approved_at,
            rule_set=None if version.rule_set is None else dict(version.rule_set),
        )


class ProductOut(BaseModel):
    """A declared product."""

    full_name: str
    sha256: str
    text: str
    declared_at: str

    @classmethod
    def of(cls, product: DeclaredProduct) -> ProductOut:
        """As it was declared last."""
        return cls(
            full_name=product.full_name,
            sha256=product.sha256,
            text=product.text,
            declared_at=product.declared_at,
        )


class Problem(BaseModel):
    """Problem details (RFC 9457) with the mesh's facts."""

    type: str
    title: str
    status: int
    code: str
    why: str
    next: str
    where: str = ""
    findings: list[dict[str, Any]] = []
