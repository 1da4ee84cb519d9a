"""`trivium config`."""

from __future__ import annotations

import os

import click

from trivium.server.admin.options import flags_of, output, places
from trivium.server.admin.output import print_json, print_rows
from trivium.server.settings import load, show


@click.group()
def config() -> None:
    """Show the settings."""


@config.command("show")
@places
@output
def show_settings(output: str) -> None:
    """Show every setting with its value and where that came from; passwords are masked."""
    shown = show(load(flags_of(), os.environ))
    if output == "json":
        print_json({one.key: {"value": one.value, "from": one.origin} for one in shown})
        return
    rows = [{"setting": one.key, "value": one.value, "from": one.origin} for one in shown]
    print_rows(rows, ("setting", "value", "from"), output=output)
