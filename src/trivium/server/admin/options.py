"""The options that all commands on a data directory have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trivium.server.settings import Flags

F = TypeVar("F", bound=Callable[..., Any])
PLACE: Final = "trivium.place"


def places(command: F) -> F:
    """Give a command --data, --database and --config, which `flags_of` reads."""
    for name, help in (
        ("config", "A TOML file with settings (default: trivium.toml in the data directory)."),
        ("database", "The database, like postgresql://user@host/name (default: SQLite in the data directory)."),
        ("data", "The data directory (default: trivium in the user's data home)."),
    ):
        command = click.option(f"--{name}", expose_value=False, callback=_keep, help=help)(command)
    return command


def output(command: F) -> F:
    """Give a command -o, as the argument `output`."""
    choice = click.Choice(["table", "json"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True, help="How to print it.")(
        command
    )


def flags_of() -> Flags:
    """What the command line that runs said of places."""
    kept: dict[str, str | None] = click.get_current_context().meta.get(PLACE, {})
    return Flags(data=kept.get("data"), database=kept.get("database"), config=kept.get("config"))


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta.setdefault(PLACE, {})[parameter.name] = value
