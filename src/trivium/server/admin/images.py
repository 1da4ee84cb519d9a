"""`trivium image`."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from trivium.resources import images
from trivium.resources.images import KINDS, Image, NoSuchImage
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_row, print_rows
from trivium.server.compose import runtime_of, site_of

COLUMNS = ("version", "accelerator", "owner", "visibility", "status", "size", "clones", "environment")


@click.group()
def image() -> None:
    """Add environments on disk as images."""


@image.command()
@click.argument("version", metavar="NAME:TAG")
@click.option("--path", required=True, type=click.Path(path_type=Path), help="The environment: a venv or conda prefix.")
@click.option("--accelerator", required=True, type=click.Choice(KINDS), help="What its packages are made for.")
@click.option("--description", default="", help="What people read of it.")
@click.option("--command", default="", help="What to run instead of JupyterLab; {port} and {base_url} are filled in.")
@places
@output
def add(version: str, path: Path, accelerator: str, *, description: str, command: str, output: str) -> None:
    """Add a Python environment that is on this machine as the image NAME:TAG, for everyone to use."""
    words = _words(command)
    images.split_version(version)  # a wrong name is told before minutes of reading
    with opened() as site:
        # Not resolved: a conda prefix may be a link that is moved on purpose.
        environment = path.expanduser().absolute()
        runtime = runtime_of(site.settings, site.store.clock)
        found = asyncio.run(runtime.inspect(environment, command=words))
        made = site.store.write_now(
            images.add,
            site.caller,
            site_of(site.settings, site.store.clock, port=site.settings.server.port, proxy_port=0),
            version=version,
            accelerator=accelerator,
            environment=environment,
            found=found,
            command=words,
            description=description,
        )
        print_row(_row(made), output=output)


@image.command("list")
@places
@output
def list_images(output: str) -> None:
    """List all images, oldest first: the operator's own and those that users saved."""
    with opened() as site:
        print_rows([_row(found) for found in site.store.read_now(images.everywhere)], COLUMNS, output=output)


@image.command()
@click.argument("name", metavar="NAME:TAG|PATH|ID")
@places
def remove(name: str) -> None:
    """Take an image off the lists. Notebooks that were made of it keep working.

    Layers that users saved are removed once nothing is left that has them; an environment is never touched.
    """
    with opened() as site:
        found = _one_of(site, name)
        site.store.write_now(images.remove, site.caller, found)
    click.echo(f"The image {found.path} is removed.", err=True)


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--command") from error


def _one_of(site: Opened, name: str) -> Image:
    """The image of that id, the one that has the path itself, or the only one of that path, or of that name and tag."""
    there: Sequence[Image] = site.store.read_now(images.everywhere)
    found = [one for one in there if name in (one.uuid.hex, one.path, one.version)]
    found = [one for one in found if one.path == name and not one.registered] or found
    if not found:
        message = f"there is no image {name}; `trivium image list` shows those that are"
        raise NoSuchImage(message, name=name)
    if len(found) > 1:
        told = ", ".join(f"{one.path} ({one.uuid.hex})" for one in found)
        message = f"several images are called {name}; say which by its path or id: {told}"
        raise click.BadParameter(message, param_hint="NAME:TAG|PATH|ID")
    return found[0]


def _row(found: Image) -> Row:
    return {
        "id": found.uuid.hex,
        "path": found.path,
        "version": found.version,
        "accelerator": found.accelerator,
        "kind": found.kind,
        "owner": found.owner_name,
        "visibility": found.visibility.value,
        "status": found.status.value,
        "description": found.description,
        "size": found.size,
        "digest": found.digest,
        "environment": str(found.environment),
        "command": list(found.command),
        "preset": found.preset,
        "clones": found.clones,
        "created_at": found.created_at.isoformat(timespec="seconds"),
    }
