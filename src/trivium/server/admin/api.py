"""`trivium api`."""

from __future__ import annotations

import click

from trivium.base.errors import Invalid
from trivium.base.text import Language, say
from trivium.dialects import coverage as account
from trivium.server.admin.options import output
from trivium.server.admin.output import print_rows

DIALECTS = ("scnet", "modelarts", "zstack")
COLUMNS = ("state", "operation", "method", "path", "said")


@click.group()
def api() -> None:
    """Tell what of each vendor's API is served."""


@api.command()
@click.argument("dialect", type=click.Choice(DIALECTS))
@click.option("--state", type=click.Choice([state.value for state in account.State]), help="Only these.")
@output
def coverage(dialect: str, state: str | None, output: str) -> None:
    """List the operations of the vendor's API: done, refused (with the reason) or not yet."""
    told = [one for one in account.load(dialect).told() if state in (None, one.state.value)]
    rows = [
        {"state": one.state.value, "operation": one.name, "method": one.method, "path": one.path, "said": one.said}
        for one in told
    ]
    print_rows(rows, COLUMNS, output=output)


@api.command()
@click.argument("resource")
@click.argument("path", default="")
@output
def fields(resource: str, path: str, output: str) -> None:
    """List what a query of ZStack's may ask of a RESOURCE: Model, or QueryModel.

    With a PATH of relations, as modelService.modelCenter, of what is at its end.
    """
    from trivium.dialects.zstack import INVENTORIES, Catalogue, queryable

    catalogue = Catalogue(INVENTORIES)
    start = catalogue.target(resource.removeprefix("Query"))
    if start is None:
        known = ", ".join(sorted(inventory.name for inventory in catalogue))
        raise click.BadParameter(f"there is none of that name; there are {known}", param_hint="RESOURCE")
    prefix = f"{path.removesuffix('.')}." if path else ""
    try:
        found = queryable(catalogue.place(start, prefix).inventory)
    except Invalid as error:
        raise click.BadParameter(say(error.code, Language.EN, **error.details), param_hint="PATH") from error
    own = [{"name": f"{prefix}{name}", "what": "field", "type": type} for name, type in found.fields]
    others = [{"name": f"{prefix}{name}.", "what": "relation", "type": to} for name, to in found.relations]
    print_rows([*own, *others], ("name", "what", "type"), output=output)
