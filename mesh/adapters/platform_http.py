"""The platform's API as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mesh.adapters.http import Http
from mesh.errors import DeclarationError, Finding, MeshError, ReviewError
from mesh.plan.actual import ContractFacts, ProductFacts

_KINDS: dict[str, type[MeshError]] = {"MESH-G": ReviewError, "MESH-C": DeclarationError}


class HttpPlatform:
    """The services of one platform. Raises the error that the platform describes."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def contracts(self) -> Mapping[str, ContractFacts]:
        """Contracts in force, by id."""
        return {c["id"]: _contract(c) for c in self._ask("GET", "/contracts")}

    def products(self) -> Mapping[str, ProductFacts]:
        """Declared products, by full name."""
        rows = self._ask("GET", "/products")
        return {p["full_name"]: ProductFacts(p["full_name"], p["sha256"], p["text"]) for p in rows}

    def contract(self, contract_id: str) -> ContractFacts:
        """One contract in force."""
        return _contract(self._ask("GET", f"/contracts/{quote(contract_id, safe='')}"))

    def port(self, product: str) -> ContractFacts:
        """The contract behind a product's output port, its newest major version."""
        domain, _, name = product.partition(".")
        return _contract(self._ask("GET", f"/products/{quote(domain, safe='')}/{quote(name, safe='')}/port"))

    def declare_contract(self, file: str, text: str, avro: str = "") -> None:
        """Declare a contract that is new, with the schema beside it."""
        self._ask("POST", "/contracts", {"file": file, "text": text, "avro": avro})

    def declare_product(self, file: str, text: str) -> None:
        """Declare a product."""
        self._ask("POST", "/products", {"file": file, "text": text})

    def remove_contract(self, contract_id: str) -> None:
        """Let go of a retired contract."""
        self._ask("DELETE", f"/contracts/{quote(contract_id, safe='')}")

    def remove_product(self, full_name: str) -> None:
        """Take a product out of the catalog."""
        domain, _, name = full_name.partition(".")
        self._ask("DELETE", f"/products/{quote(domain, safe='')}/{quote(name, safe='')}")

    def propose(self, file: str, text: str, reason: str, avro: str = "") -> Mapping[str, Any]:
        """Open a review of a changed contract; answers the proposal with its verdict."""
        return dict(
            self._ask("POST", "/proposals", {"file": file, "text": text, "reason": reason, "avro": avro})
        )

    def proposals(self) -> Sequence[Mapping[str, Any]]:
        """All proposals, newest first."""
        return list(self._ask("GET", "/proposals"))

    def proposal(self, number: int) -> Mapping[str, Any]:
        """One proposal."""
        return dict(self._ask("GET", f"/proposals/{number}"))

    def decide(self, number: int, decision: str, reason: str, sha256: str) -> Mapping[str, Any]:
        """Approve or refuse exactly the text with this hash."""
        body = {"decision": decision, "reason": reason, "sha256": sha256}
        return dict(self._ask("POST", f"/proposals/{number}/decision", body))

    def subscribe(self, product: str, group: str, fields: Sequence[str], purpose: str) -> None:
        """Say who reads a product."""
        body = {"product": product, "group": group, "fields": list(fields), "purpose": purpose}
        self._ask("POST", "/subscriptions", body)

    def _ask(self, method: str, path: str, body: object | None = None) -> Any:
        status, answer = self._http.request(method, "/api/v1" + path, body)
        if status < 400:
            return answer
        facts = answer if isinstance(answer, dict) else {}
        code = str(facts.get("code", "MESH-S400"))
        raise _KINDS.get(code[:6], MeshError)(
            str(facts.get("title") or facts.get("detail") or f"the platform answered {status}"),
            code=code,
            where=facts.get("where"),
            why=str(facts.get("why", "")),
            fix=str(facts.get("next", "")),
            findings=[Finding(**finding) for finding in facts.get("findings", ())],
        )


def _contract(row: Mapping[str, Any]) -> ContractFacts:
    return ContractFacts(
        row["id"], row["version"], row["sha256"], row["text"], row.get("avro", ""), row.get("rule_set")
    )
