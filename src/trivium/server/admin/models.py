"""`trivium model` and `trivium center`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import click

from trivium.base.query import After, Offset, Order, Query
from trivium.resources import models, operations, stores
from trivium.resources.hosts import Tenure
from trivium.resources.models import ImportWorker, Model, NewModel
from trivium.resources.stores import ModelStore, NoSuchModelStore, NotInStores
from trivium.server import logs
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_row, print_rows
from trivium.server.admin.progress import progress
from trivium.server.admin.telling import language_of
from trivium.server.compose import artifacts_of
from trivium.server.host.directory import host_of
from trivium.server.host.solo import Solo
from trivium.store import Read, Write

MODELS = ("name", "version", "center", "status", "size", "parameters", "architecture", "path")
CENTERS = ("name", "url", "state", "visibility", "used")
PAGE = 500


@click.group()
def model() -> None:
    """Add files on disk as models."""


@click.group()
def center() -> None:
    """Show where models lie."""


@model.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What it is called (default: the last part of PATH).")
@click.option("--center", metavar="NAME|ID", help="The model centre that PATH is in (default: the innermost).")
@click.option("--version", help="Which version of the model it is (default: what its files say).")
@click.option("--public", is_flag=True, help="For all projects to see.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Whether to wait until its files are read.")
@places
@output
@click.pass_context
def import_(
    context: click.Context,
    path: Path,
    output: str,
    *,
    name: str | None,
    center: str | None,
    version: str | None,
    public: bool,
    wait: bool,
) -> None:
    """Add the file or directory PATH, which lies in a model centre on this machine, as a model.

    The server on the data directory reads its files; without one, this command does. Whoever is interrupted keeps what
    was read, and the next server goes on.
    """
    place = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links stay as they are
    with opened() as site:
        logs.set_up("warning", logs.Form(site.settings.log.format.value))  # what a worker logs is not for this reader
        there = _center_of(site, place, center)
        new = NewModel(
            name=name or place.name, store=there.uuid, install_path=str(place), version=version, public=public
        )
        made, operation = site.store.write_now(_add, site, new, host=host_of(site.settings.data))
        if wait:
            asyncio.run(_follow(site, made, operation))
            failure = site.store.read_now(operations.get, site.caller, operation).failure
            if failure is not None:
                click.echo(f"trivium: {failure.say(language_of(os.environ))}", err=True)
                context.exit(1)
            made = site.store.read_now(models.get, site.caller, made.uuid)
        print_row(_row(made, {there.uuid: there}), output=output)


@model.command("list")
@places
@output
def list_models(output: str) -> None:
    """List all models, oldest first."""
    with opened() as site:
        print_rows(site.store.read_now(_rows, site), MODELS, output=output)


@center.command("list")
@places
@output
def list_centers(output: str) -> None:
    """List all model centres, oldest first, with the bytes that are in use."""
    with opened() as site:
        print_rows([_center_row(one) for one in site.store.read_now(stores.everywhere)], CENTERS, output=output)


def _center_of(site: Opened, place: Path, named: str | None) -> ModelStore:
    """The centre of that name or id, or else of those that the place is in the innermost, of these the oldest."""
    if named is None:
        try:
            return site.store.read_now(stores.containing, site.caller, str(place))
        except NotInStores as error:
            raise _no_center(f"{place} is in no model centre") from error
    found = [one for one in site.store.read_now(stores.everywhere) if named in (one.name, one.uuid.hex)]
    if not found:
        raise _no_center(f"there is no model centre {named}")
    if len(found) > 1:
        told = ", ".join(f"{one.path} ({one.uuid.hex})" for one in found)
        message = f"several model centres are called {named}; say which by its id: {told}"
        raise click.BadParameter(message, param_hint="--center")
    return found[0]


def _no_center(what: str) -> NoSuchModelStore:
    message = f"{what}; `trivium center list` shows those that there are"
    return NoSuchModelStore(message)


def _add(tx: Write, site: Opened, new: NewModel, *, host: str) -> tuple[Model, int]:
    """The new model and the operation that ends when its files are read."""
    made = models.create(tx, site.caller, new)
    operation = operations.start(tx, site.caller, "model.create", target=made.id)
    models.begin_import(tx, site.caller, made.uuid, host=host, operation=operation.id)
    return models.get(tx, site.caller, made.uuid), operation.id


async def _follow(site: Opened, made: Model, operation: int) -> None:
    with progress(made.name) as tell:

        async def is_over() -> bool:
            now = await site.store.read(operations.get, site.caller, operation)
            tell(now.progress or 0)
            return now.is_finished

        artifacts = artifacts_of(site.settings)

        async def read(tenure: Tenure) -> None:
            await ImportWorker(site.store, artifacts, tenure).run()

        await Solo(site.store, read, is_over=is_over).work_or_wait(site.settings.data)


def _rows(tx: Read, site: Opened) -> list[Row]:
    centers = {one.uuid: one for one in stores.everywhere(tx)}
    return [_row(one, centers) for one in _all(tx, site)]


def _all(tx: Read, site: Opened) -> Iterator[Model]:
    page: Offset | After | None = Offset(limit=PAGE)
    while page is not None:
        found = models.LISTING.page(tx, site.caller, Query(order=(Order(field="id"),), page=page, total=False))
        yield from found.rows
        page = None if found.next is None else After(limit=PAGE, key=found.next)


def _row(one: Model, centers: Mapping[UUID, ModelStore]) -> Row:
    center = centers.get(one.store)
    place = None if one.store == models.NOWHERE else one.store.hex
    return {
        "id": one.uuid.hex,
        "name": one.name,
        "version": one.version,
        "latest": one.is_latest,
        "center": place if center is None else center.name,
        "visibility": "public" if one.public else "project",
        "status": one.status.value,
        "size": one.size,
        "parameters": one.parameters,
        "architecture": one.architecture,
        "pipeline_tag": one.pipeline_tag,
        "vendor": one.vendor,
        "framework_version": one.framework_version,
        "checksum": one.checksum,
        "min_gpu_memory": one.min_gpu_memory,
        "recommended_gpu_memory": one.recommended_gpu_memory,
        "recommended_gpu_num": list(one.recommended_gpu_num),
        "path": one.path,
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }


def _center_row(one: ModelStore) -> Row:
    used = one.capacity
    return {
        "id": one.uuid.hex,
        "name": one.name,
        "url": one.url,
        "path": one.path,
        "state": one.state.value,
        "visibility": "public" if one.public else "project",
        "used": used.models + used.services + used.datasets,
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }
