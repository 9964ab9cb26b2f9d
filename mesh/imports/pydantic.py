"""Pydantic model to contract: types, constraints, defaults, descriptions; what is code is said."""

from __future__ import annotations

import inspect
from typing import Any

from mesh.errors import DeclarationError, Finding
from mesh.imports.avro import Imported
from mesh.imports.document import Heading, contract_text
from mesh.imports.pydantic_fields import Models


def contract_of_model(model: type[Any], heading: Heading) -> Imported:
    """The contract of a Pydantic model; raises DeclarationError (MESH-C108) for fields without a form."""
    models = Models()
    properties = models.properties(model, model.__name__)
    refused = [
        Finding(
            code="MESH-C108",
            message=f"cannot be carried: {what}",
            where=where,
            why="an event is made of text, numbers, times, lists, maps and models",
            fix="give it one of those types",
        )
        for where, what in models.refused
    ]
    if refused:
        raise DeclarationError(
            refused[0].message,
            code="MESH-C108",
            where=refused[0].where,
            why=refused[0].why,
            fix=refused[0].fix,
            findings=refused,
        )
    findings = tuple(
        Finding(
            code="MESH-C107",
            severity="warning",
            message=f"not carried: {what}",
            where=where,
            why="a contract is data, read by people and programs without Python",
            fix=fix,
        )
        for where, what, fix in models.notes
    )
    text = contract_text(heading, properties, purpose=documentation(model), schema_name=model.__name__)
    return Imported(text, findings)


def documentation(model: type[Any]) -> str:
    """What the author wrote about a class; empty when it only inherits words."""
    own = model.__dict__.get("__doc__")
    return inspect.cleandoc(own) if own else ""
