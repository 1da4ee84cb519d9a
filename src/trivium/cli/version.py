"""`trivium version`."""

from __future__ import annotations

import platform
from importlib import metadata

import click


@click.command()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print it.")
def version(output: str) -> None:
    """Show the version."""
    found = metadata.version("trivium")
    if output == "json":
        from trivium.server.admin.output import print_json

        print_json({"version": found, "python": platform.python_version()})
    else:
        click.echo(f"trivium {found} (Python {platform.python_version()})")
