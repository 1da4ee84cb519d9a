"""`trivium api`."""

from __future__ import annotations

import click

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
