"""`mesh import avro`, `mesh import pydantic`: a contract from a schema or a model that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh.cli.output import deliver, tell_findings_briefly

if TYPE_CHECKING:
    from mesh.imports.avro import Imported
    from mesh.imports.document import Heading

Domain = Annotated[str, typer.Option("--domain", help="The domain that owns it, such as shop.")]
Product = Annotated[str, typer.Option("--product", help="The product, such as orders.")]
Owner = Annotated[str, typer.Option("--owner", help="Who answers for it: a user name or address.")]
Team = Annotated[str, typer.Option("--team", help="The name of the team.")]
Key = Annotated[list[str] | None, typer.Option("--key", help="A property of the record key; repeatable.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="A new file; default: standard output.")]

importing = typer.Typer(
    name="import",
    help="Contracts from what is there already: Avro schemas, Pydantic models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Join the verbs of this module."""
    app.add_typer(importing)


@importing.command()
def avro(
    file: Annotated[Path, typer.Argument(help="An Avro schema: a record.")],
    domain: Domain = "",
    product: Product = "",
    owner: Owner = "",
    team: Team = "",
    key: Key = None,
    output: Output = None,
) -> None:
    """Make a contract from an Avro schema; what ODCS has no word for is kept and said.

    Domain and product are taken from the record's name when they are not given.

    Example: mesh import avro orders.avsc --owner ada@example.org -o contracts/shop/orders.v1.odcs.yaml
    """
    from mesh.adapters.workspace import read_file
    from mesh.errors import SchemaError
    from mesh.imports.avro import contract_of_avro
    from mesh.schema import parse_schema

    try:
        schema = parse_schema(read_file(file).decode(errors="replace"))
        namespace, _, name = schema.fullname.rpartition(".")
        heading = _heading(domain or namespace.rpartition(".")[2], product or name, owner, team, key)
        made = contract_of_avro(schema, heading, str(file))
    except SchemaError as error:
        if not str(error.where).startswith(str(file)):
            error.where = f"{file} {error.where}"
        raise
    _finish(made, str(file), output)


@importing.command()
def pydantic(
    model: Annotated[str, typer.Argument(help="module:Model, importable from this folder.")],
    domain: Domain = "",
    product: Product = "",
    owner: Owner = "",
    team: Team = "",
    key: Key = None,
    output: Output = None,
) -> None:
    """Make a contract from a Pydantic model; what is code and not data is said.

    The module is imported, so its code runs: use it for modules of your own.

    Example: mesh import pydantic shop.models:Order --domain shop --product orders --key order_id
    """
    from mesh.adapters.models import load_model
    from mesh.imports.pydantic import contract_of_model

    loaded = load_model(model, Path.cwd())
    heading = _heading(domain, product or loaded.__name__, owner, team, key)
    _finish(contract_of_model(loaded, heading), model, output)


def _heading(domain: str, product: str, owner: str, team: str, key: list[str] | None) -> Heading:
    from mesh.imports.document import Heading, as_slug, require_slug

    return Heading(
        domain=require_slug(as_slug(domain), "domain"),
        product=require_slug(as_slug(product), "product"),
        owner=owner,
        team=team,
        key=tuple(key or ()),
    )


def _finish(made: Imported, source: str, output: Path | None) -> None:
    """Check the contract as `mesh check` does before anybody gets it."""
    from mesh.declaration import SourceFile, declare

    file = str(output or source)
    found: Any = declare([SourceFile(file, made.text.encode())])
    tell_findings_briefly(made.findings)
    found.require()
    deliver(made.text, output)
