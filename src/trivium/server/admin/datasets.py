"""`trivium dataset`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final
from uuid import UUID

import click

from trivium.resources.datasets import DatasetType
from trivium.resources.transfers import TransferStatus, Way
from trivium.server import logs
from trivium.server.admin import exporting_samples, importing_samples, showing_datasets, stopping_samples
from trivium.server.admin.opening import opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import print_row, print_rows
from trivium.server.admin.reading_options import reading
from trivium.server.admin.telling import language_of

TYPES: Final = {showing_datasets.type_name(type): type for type in DatasetType}
PAGE: Final = 100  # refusals
SHOWN: Final = 5  # of what was refused in an import that has just ended


@click.group()
def dataset() -> None:
    """Import samples into datasets, stop that, show and export these."""


@dataset.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The dataset; where there is one of that name, samples are added to it.")
@click.option("--type", "kind", required=True, type=click.Choice([*TYPES]), help="What its samples and labels are.")
@click.option("--manifest", "way", flag_value=Way.MANIFEST.value, help="PATH is a manifest.")
@click.option("--table", "way", flag_value=Way.TABLE.value, help="PATH is a .csv file, or a directory with such files.")
@reading
@click.option("--public", is_flag=True, help="For all projects to see, where the dataset is a new one.")
@click.option("--work-path", type=click.Path(path_type=Path), help="Where versions of a new dataset are written.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Whether to wait until all is read.")
@places
@output
@click.pass_context
def import_(
    context: click.Context,
    path: Path,
    output: str,
    *,
    name: str,
    kind: str,
    way: str | None,
    public: bool,
    work_path: Path | None,
    wait: bool,
) -> None:
    """Read the samples in PATH, with their labels, into a dataset.

    PATH is a directory, unless --manifest or --table says otherwise, and lies in a directory of TRIVIUM_DATASETS__ROOTS
    or TRIVIUM_MODELS__ROOTS. What no sample comes of is told, and keeps nothing else from coming in. The server on the
    data directory reads; without one, this command does. What was read before an interruption stays: the next server
    goes on, and so does the same command.
    """
    place = _place(path)
    asked = importing_samples.asked_for(place, Way(way or Way.DIRECTORY))
    with opened() as site:
        logs.set_up("warning", logs.Form(site.settings.log.format.value))  # what a worker logs is not for this reader
        work = None if work_path is None else _place(work_path)
        wanted = importing_samples.Wish(
            name=name,
            type=TYPES[kind],
            public=public,
            work_path=importing_samples.work_path_of(site, work, source=place),
            asked=asked,
        )
        into, begun = importing_samples.begin(site, wanted)
        if wait:
            begun = asyncio.run(importing_samples.follow(site, into, begun))
            importing_samples.tell_refused(site, into, begun, most=SHOWN)
            if begun.status is not TransferStatus.DONE:
                said = None if begun.reason is None else begun.reason.say(language_of(os.environ))
                click.echo(f"trivium: {said or 'the import was stopped'}", err=True)
                context.exit(1)
        print_row(showing_datasets.import_row(into, begun), output=output)


@dataset.command()
@click.argument("name", metavar="NAME|UUID")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--copy", is_flag=True, help="Copy the files, and write their labels beside them.")
@click.option("--flat", is_flag=True, help="All copies into one directory.")
@click.option(
    "--only", "chosen", type=click.Choice([*exporting_samples.CHOSEN]), default="all", show_default=True, help="Which."
)
@places
@output
@click.pass_context
def export(context: click.Context, name: str, path: Path, *, output: str, copy: bool, flat: bool, chosen: str) -> None:
    """Write a manifest of a dataset's samples, and copies of their files where these are asked for.

    PATH is a directory that is not there, or empty, in one of TRIVIUM_DATASETS__ROOTS. The server on the data directory
    writes; without one, this command does.
    """
    place = _place(path)
    with opened() as site:
        logs.set_up("warning", logs.Form(site.settings.log.format.value))
        of, begun = exporting_samples.begin(site, name, place, chosen=chosen, copies=copy, flat=flat)
        done = asyncio.run(exporting_samples.follow(site, of, begun))
        language = language_of(os.environ)
        lacking = done.shortfall(language) if done.status is TransferStatus.DONE else None
        if lacking is not None:
            click.echo(lacking.say(language), err=True)
        if done.status is not TransferStatus.DONE:
            said = None if done.reason is None else done.reason.say(language)
            click.echo(f"trivium: {said or 'the export was stopped'}", err=True)
            context.exit(1)
        print_row(exporting_samples.row_of(of, done), output=output)


@dataset.command()
@click.argument("name", metavar="NAME|UUID")
@places
@output
def stop(name: str, output: str) -> None:
    """Stop the import or sync of a dataset that goes on.

    What came of it stays, and nothing goes on from there: the next import begins anew, and finds what is there as it
    is. Whoever waits for what was stopped is told so.
    """
    with opened() as site:
        print_row(showing_datasets.import_row(*stopping_samples.stop(site, name)), output=output)


@dataset.command("list")
@places
@output
def list_datasets(output: str) -> None:
    """List all datasets, oldest first."""
    with opened() as site:
        print_rows(site.store.read_now(showing_datasets.rows, site), showing_datasets.DATASETS, output=output)


@dataset.command()
@click.argument("name", metavar="NAME|UUID")
@click.option("--refused", is_flag=True, help="List what no sample came of, and why.")
@click.option("--import", "of", type=click.UUID, metavar="UUID", help="Of that import (default: the last one).")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only what was refused after that number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=PAGE, show_default=True, help="How much of it.")
@places
@output
def show(name: str, output: str, *, refused: bool, of: UUID | None, after: int, limit: int) -> None:
    """Show a dataset: its numbers, its labels and its last imports, or what was refused in one of these."""
    with opened() as site:
        if refused:
            page = site.store.read_now(showing_datasets.refusals, site, name, of=of, after=after, most=limit)
            print_rows(page.rows, showing_datasets.REFUSALS, output=output)
            if page.left:
                click.echo(f"{page.left:,} more: --refused --after {page.last}", err=True)
        else:
            site.store.read_now(showing_datasets.look, site, name).show(output)


def _place(path: Path) -> Path:
    """A place as it was written, absolute."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links stay as they are
