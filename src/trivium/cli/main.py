"""The entry point: which commands there are, and how what goes wrong is told."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from trivium.cli.lazy import Lazy, LazyGroup

COMMANDS: Final = {
    "server": Lazy("trivium.cli.server", "server", "Run the server."),
    "user": Lazy("trivium.server.admin.users", "user", "Create users, and say whether they get in."),
    "key": Lazy("trivium.server.admin.keys", "key", "Create and delete access keys."),
    "quota": Lazy("trivium.server.admin.quotas", "quota", "Say how many pools and networks projects may have."),
    "notebook": Lazy("trivium.server.admin.notebooks", "notebook", "List, stop and release everybody's notebooks."),
    "image": Lazy("trivium.server.admin.images", "image", "Add environments on disk as images."),
    "model": Lazy("trivium.server.admin.models", "model", "Add files on disk as models."),
    "center": Lazy("trivium.server.admin.models", "center", "Show where models lie."),
    "dataset": Lazy(
        "trivium.server.admin.datasets", "dataset", "Import samples into datasets, stop that, show and export these."
    ),
    "api": Lazy("trivium.server.admin.api", "api", "Tell what of each vendor's API is served."),
    "config": Lazy("trivium.server.admin.config", "config", "Show the settings."),
    "doctor": Lazy("trivium.server.admin.doctor", "doctor", "Tell what this machine can do, and what it lacks."),
    "version": Lazy("trivium.cli.version", "version", "Show the version."),
}


@click.group(
    "trivium", cls=LazyGroup, commands_by_name=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
def trivium() -> None:
    """Trivium: a self-hosted AI platform that answers the APIs of SCNet, ZStack AIOS and ModelArts."""


def main() -> None:
    """Run the command line and exit: 0 when all went well, 1 when something did not, 2 for a wrong command line."""
    try:
        sys.exit(trivium.main(prog_name="trivium", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("trivium: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; what is still buffered must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from trivium.server.admin.telling import sentence_of

        sentence = sentence_of(error)
        if sentence is None:
            raise
        click.echo(f"trivium: {sentence}", err=True)
        sys.exit(1)
