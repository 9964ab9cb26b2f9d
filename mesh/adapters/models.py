"""Pydantic models in a user's own modules: importing runs their code, so only what is named is loaded."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from mesh.errors import UsageError


def load_model(name: str, folder: Path) -> type[Any]:
    """The model that `module:Model` names, `folder` first on the path; raises UsageError (U115, U116)."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UsageError(
            f"{name!r} names no model",
            code="MESH-U115",
            why="a model is named by its module and its class",
            fix="mesh import pydantic shop.models:Order",
        )
    sys.path.insert(0, str(folder))
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # the module is the user's: whatever it raises is for its author
        raise UsageError(
            f"{name} cannot be imported",
            code="MESH-U115",
            where=str(folder),
            why=f"{type(error).__name__}: {error}",
            fix="correct the module, or run from the folder that holds it",
        ) from error
    finally:
        sys.path.remove(str(folder))
    from pydantic import BaseModel

    if not (isinstance(found, type) and issubclass(found, BaseModel) and found.model_fields):
        raise UsageError(
            f"{name} is no Pydantic model with fields",
            code="MESH-U116",
            where=str(folder),
            why=f"it is {type(found).__name__}",
            fix="name a class that inherits from pydantic.BaseModel",
        )
    return found
