"""The platform's own API (`/api/v1`): declarations, proposals, decisions, subscriptions.

Its OpenAPI document is the only door: the command line and the pages are clients of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from mesh import naming
from mesh.contract.avro import avro_schema
from mesh.contract.rule_targets import rule_set
from mesh.errors import MeshError
from mesh.policy import shelve
from mesh.product import read_product
from mesh_platform import idempotency
from mesh_platform.bodies import (
    ContractIn,
    ContractOut,
    DecisionIn,
    DeclarationIn,
    Name,
    Problem,
    ProductOut,
    ProposalIn,
    SubscriptionIn,
)
from mesh_platform.control import ControlPlane
from mesh_platform.governance.policies import (
    PolicySource,
    ask_policies_of_product,
    standing_in_the_way,
)
from mesh_platform.governance.state import Refused
from mesh_platform.governance.verdict import judge
from mesh_platform.judging import approved, asked_policies, declared_readers, proposed, retained, subscribed
from mesh_platform.log import LogUnavailable
from mesh_platform.permission import PermittedRoute

_READ = "see /api/v1/openapi.json"
#: A key of the whole class also keeps FastAPI from describing a 422 that is not sent.
_REFUSED: dict[str, Any] = {
    "description": "Why it was not done, and what to do",
    "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
}
Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


def create_api(control: ControlPlane, policies: PolicySource = lambda: shelve(())) -> FastAPI:
    """The API over a control plane; who asks is in `request.scope["principal"]`."""
    api = FastAPI(
        title="mesh platform",
        version="1.0",
        summary="Declare, find, subscribe to and review data products.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses={"4XX": _REFUSED},
    )
    api.router.route_class = PermittedRoute
    governance = control.governance

    @api.exception_handler(MeshError)
    async def told(_request: Request, error: MeshError) -> JSONResponse:
        status = 503 if isinstance(error, LogUnavailable) else 422
        return problem(
            status, error.error_code, error.what, error.why, error.fix, str(error.where or ""), error
        )

    @api.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        detail: Any = error.detail
        if not isinstance(detail, dict):
            why = f"{request.method} {request.url.path} was not understood"
            detail = {"code": f"MESH-S{error.status_code}", "what": detail, "why": why, "fix": _READ}
        return problem(error.status_code, detail["code"], detail["what"], detail["why"], detail["fix"])

    @api.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        return problem(422, "MESH-S422", "the request does not fit", "; ".join(found[:5]), _READ)

    async def submit(kind: str, body: dict[str, Any], request: Request) -> Any:
        key = request.headers.get(idempotency.HEADER)
        command = idempotency.command_of(key, request.method, request.url.path, await request.body())
        outcome = await control.submit(kind, body, request.scope["principal"], command)
        if isinstance(outcome, Refused):
            raise _refusal(outcome)
        return outcome

    @api.get("/contracts", summary="Contracts in force")
    async def contracts() -> list[ContractOut]:
        return [ContractOut.of(versions[-1]) for _, versions in sorted(governance.contracts.items())]

    @api.get("/contracts/{contract_id}", summary="One contract in force")
    async def contract(contract_id: Name) -> ContractOut:
        found = governance.in_force(contract_id)
        if found is None:
            raise _missing(f"no contract has the id {contract_id!r}", "mesh products")
        return ContractOut.of(found)

    @api.get("/products", summary="Declared products")
    async def products() -> list[ProductOut]:
        return [ProductOut.of(p) for _, p in sorted(governance.products.items())]

    @api.get("/products/{domain}/{product}/port", summary="The contract behind a product's output port")
    async def port(domain: Slug, product: Slug) -> ContractOut:
        found = governance.products.get(f"{domain}.{product}")
        if found is not None:
            offered = [p.contract_id for p in read_product(found.text.encode(), found.file).output_ports]
            known = [v for v in map(governance.in_force, offered) if v is not None]
            if known:
                return ContractOut.of(max(known, key=lambda v: naming.parse_topic(v.topic).major))
        raise _missing(f"there is no product {domain}.{product}", "mesh products")

    @api.post("/contracts", status_code=201, summary="Declare a contract that is new to the mesh")
    async def declare_contract(body: ContractIn, request: Request) -> ContractOut:
        facts = _facts(body)
        if governance.in_force(facts["contract_id"]) is None:
            asked = await asked_policies(control, policies, None, proposed(body.text, body.file, body.avro))
            _hold_policies(asked, facts["contract_id"], body.file)
            facts["policies"] = {"sha256": asked["sha256"], "day": asked["day"]}
        return ContractOut.of(await submit("contract.declare", facts, request))

    @api.post("/products", status_code=201, summary="Declare a product")
    async def declare_product(body: DeclarationIn, request: Request) -> ProductOut:
        product = read_product(body.text.encode(), body.file)
        facts = {
            "full_name": product.full_name,
            "file": body.file,
            "text": product.document.text,
            "sha256": hashlib.sha256(product.document.text.encode()).hexdigest(),
            "offers": [port.contract_id for port in product.output_ports],
        }
        known = governance.products.get(product.full_name)
        if known is None or known.sha256 != facts["sha256"]:
            today = control.now().date()
            asked = await asyncio.to_thread(lambda: ask_policies_of_product(policies(), product, today))
            _hold_policies(asked, product.full_name, body.file)
        return ProductOut.of(await submit("product.declare", facts, request))

    @api.delete("/contracts/{contract_id}", summary="Let go of a contract that promises nothing any more")
    async def remove_contract(contract_id: Name, request: Request) -> ContractOut:
        return ContractOut.of(await submit("contract.remove", {"contract_id": contract_id}, request))

    @api.delete("/products/{domain}/{product}", summary="Take a product out of the catalog")
    async def remove_product(domain: Slug, product: Slug, request: Request) -> ProductOut:
        return ProductOut.of(await submit("product.remove", {"full_name": f"{domain}.{product}"}, request))

    @api.post("/proposals", status_code=201, summary="Propose a changed contract for review")
    async def propose(body: ProposalIn, request: Request) -> dict[str, Any]:
        facts = _facts(body)
        known = governance.in_force(facts["contract_id"])
        if known is None:
            raise _missing(f"{facts['contract_id']} is not declared yet", "mesh apply")
        if known.sha256 == facts["sha256"]:
            raise HTTPException(
                409,
                {
                    "code": "MESH-G021",
                    "what": f"{known.contract_id} is in force exactly as proposed",
                    "why": "there is nothing to review",
                    "fix": "mesh plan",
                },
            )
        old, new = approved(known), proposed(body.text, body.file, body.avro)
        verdict = judge(
            old, new, retained(control, known), subscribed(control, known), declared_readers(control, known)
        )
        verdict["policies"] = await asked_policies(control, policies, old, new)
        facts |= {"base_sha256": known.sha256, "reason": body.reason, "verdict": verdict}
        return asdict(await submit("proposal.open", facts, request))

    @api.get("/proposals", summary="All proposals, newest first")
    async def proposals() -> list[dict[str, Any]]:
        newest = sorted(governance.proposals.values(), key=lambda p: -p.number)
        return [
            {key: value for key, value in asdict(p).items() if key not in ("text", "schema", "rule_set")}
            for p in newest
        ]

    @api.get("/proposals/{number}", summary="One proposal with its verdict")
    async def proposal(number: int) -> dict[str, Any]:
        found = governance.proposals.get(number)
        if found is None:
            raise _missing(f"there is no proposal {number}", "mesh reviews")
        known = governance.contracts.get(found.contract_id, ())
        base = next((v.text for v in known if v.sha256 == found.base_sha256), "")
        return {**asdict(found), "base_text": base}

    @api.post("/proposals/{number}/decision", summary="Approve or refuse a proposal")
    async def decide(number: int, body: DecisionIn, request: Request) -> dict[str, Any]:
        return asdict(await submit("proposal.decide", {"number": number, **body.model_dump()}, request))

    @api.post("/subscriptions", status_code=201, summary="Say who reads a product, and which fields")
    async def subscribe(body: SubscriptionIn, request: Request) -> dict[str, Any]:
        known = governance.subscriptions.get((body.product, body.group))
        if known is not None and known.fields == tuple(body.fields) and known.purpose == body.purpose:
            return asdict(known)
        return asdict(await submit("subscription.put", body.model_dump(), request))

    @api.get("/subscriptions", summary="Who reads what")
    async def subscriptions() -> list[dict[str, Any]]:
        return [asdict(s) for _, s in sorted(governance.subscriptions.items())]

    return api


def _hold_policies(asked: Mapping[str, Any], name: str, file: str) -> None:
    against = list(standing_in_the_way({"policies": asked}))
    if against:
        raise HTTPException(
            409,
            {
                "code": "MESH-G018",
                "what": f"policies refuse {name}",
                "why": "; ".join(against[:3]),
                "fix": f"mesh check {file}",
            },
        )


def problem(
    status: int,
    code: str,
    what: str,
    why: str = "",
    fix: str = "",
    where: str = "",
    error: MeshError | None = None,
) -> JSONResponse:
    """RFC 9457 problem details with the mesh's facts."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": what,
        "status": status,
        "code": code,
        "why": why,
        "next": fix,
    }
    if where:
        body["where"] = where
    if error is not None and error.findings:
        body["findings"] = [{**asdict(f), "where": str(f.where)} for f in error.findings]
    return JSONResponse(body, status, media_type="application/problem+json")


def _refusal(refused: Refused) -> HTTPException:
    told = {"code": refused.code, "what": refused.what, "why": refused.why, "fix": refused.fix}
    return HTTPException(refused.status, told)


def _missing(what: str, fix: str) -> HTTPException:
    return HTTPException(
        404, {"code": "MESH-S404", "what": what, "why": "the catalog does not hold it", "fix": fix}
    )


def _facts(body: ContractIn) -> dict[str, Any]:
    """What the log is told of a contract: the text as read (no byte order mark), and what follows from it."""
    contract = proposed(body.text, body.file, body.avro)
    schema = avro_schema(contract)
    return {
        "contract_id": contract.id,
        "version": str(contract.version),
        "sha256": contract.sha256,
        "file": body.file,
        "text": contract.document.text,
        "topic": contract.topic,
        "schema": schema.text,
        "rule_set": rule_set(contract, schema),
        "level": contract.compatibility,
    }
