"""What `trivium dataset import` does: begins an import, and follows it; where there is no server, it reads itself."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import click
from msgspec import structs

from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.values import Value
from trivium.resources import datasets, stores, transfers
from trivium.resources.datasets import BadPlace, Dataset, DatasetExists, DatasetType, NewDataset
from trivium.resources.hosts import Tenure
from trivium.resources.stores import NotInStores
from trivium.resources.transfers import (
    NewImport,
    SampleImport,
    SampleImportWorker,
    TransferRunning,
    TransferStatus,
    Way,
)
from trivium.server.admin import reading_options
from trivium.server.admin.opening import Opened
from trivium.server.admin.output import printable
from trivium.server.admin.progress import Amount, amounts
from trivium.server.admin.showing_datasets import type_name
from trivium.server.admin.telling import language_of
from trivium.server.compose import sources_of
from trivium.server.host.directory import host_of
from trivium.server.host.solo import Solo
from trivium.store import Write


class Wish(Value, frozen=True):
    """What the command line asks for."""

    name: str
    type: DatasetType
    public: bool
    work_path: str | None  # of a new dataset
    asked: NewImport


def asked_for(place: Path, way: Way) -> NewImport:
    """The import of a place, as `reading_options` say. One that is not there, or no such thing, is a wrong command."""
    if not place.exists():
        _refuse(f"{place} is not there")
    if way is Way.DIRECTORY and not place.is_dir():
        _refuse(f"{place} is no directory; say --manifest or --table where it is such a file")
    if way is Way.MANIFEST and not place.is_file():
        _refuse(f"{place} is no file; a manifest is one")
    return NewImport(
        path=str(place),
        way=way,
        wanted=reading_options.wanted_of(),
        texts=reading_options.texts_of(),
        columns=reading_options.columns_of(),
    )


def work_path_of(site: Opened, place: Path | None, *, source: Path) -> str | None:
    """Where versions are to be published. `BadPlace` where none can be, or samples would be read from there."""
    if place is None:
        return None
    roots = site.settings.dataset_roots
    if not any(place.is_relative_to(root) and place != root for root in roots) or place.is_relative_to(source):
        message = f"--work-path {place} must be in one of {', '.join(map(str, roots))}, and not within {source}"
        raise BadPlace("--work-path", message, place=str(place))
    return str(place)


def begin(site: Opened, wish: Wish) -> tuple[Dataset, SampleImport]:
    """The dataset, made where there is none of that name, and the import into it.

    An import of the very same that goes on already is what is given. Raises `NotInStores`, `DatasetExists` where it is
    of another type, `TransferRunning`, `NotImportable`, and what `datasets.register` raises.
    """
    return site.store.write_now(_begin, site, wish, host=host_of(site.settings.data))


async def follow(site: Opened, into: Dataset, begun: SampleImport) -> SampleImport:
    """Show how far an import is until it is over, and do it where no server does; the import as it is then."""
    length = _length_of(begun.asked)
    now = begun
    with amounts(printable(into.name), length=length) as tell:

        async def is_over() -> bool:
            nonlocal now
            now = await site.store.read(transfers.get_import, into, begun.uuid)
            tell(_amount_of(now, length))
            return now.finished_at is not None

        sources = sources_of(site.settings)

        async def read(tenure: Tenure) -> None:
            await SampleImportWorker(site.store, sources, tenure).run()

        await Solo(site.store, read, is_over=is_over).work_or_wait(site.settings.data)
    return now


def tell_refused(site: Opened, into: Dataset, done: SampleImport, *, most: int) -> None:
    """Say of how much no sample came, and of the first few why."""
    if not done.counts.refused:
        return
    click.echo(f"{done.counts.refused:,} of {done.counts.total:,} were refused:", err=True)
    for one in site.store.read_now(transfers.list_refusals, done, most=most):
        place = one.name if one.line is None else f"{one.name}:{one.line}"
        said = one.reason.say(language_of(os.environ))
        click.echo(f"  {printable(said if place in said else f'{place}: {said}')}", err=True)
    if done.counts.refused > most:
        click.echo(f"  and more: trivium dataset show {into.uuid.hex} --refused", err=True)


def _begin(tx: Write, site: Opened, wish: Wish, *, host: str) -> tuple[Dataset, SampleImport]:
    asked = wish.asked
    try:
        store = stores.containing(tx, site.caller, asked.path, field="PATH")
    except NotInStores as error:
        raise _outside(site, asked.path) from error
    into = _dataset(tx, site, wish, store=store.uuid)
    going = transfers.running(tx, into)
    for one in going:
        settled = structs.replace(asked, layout=one.asked.layout, everywhere=one.asked.everywhere)
        if not one.sync and settled == one.asked:
            return into, one
    if going:
        message = (
            f"{going[0].asked.path} is being {'synced with' if going[0].sync else 'imported into'} "
            f"the dataset {into.name}; "
            "start the server, or give that command again, and wait until it is over"
        )
        raise TransferRunning(message, dataset=into.name)
    return into, transfers.begin_import(tx, site.caller, into.uuid, new=asked, host=host)


def _dataset(tx: Write, site: Opened, wish: Wish, *, store: UUID) -> Dataset:
    """The dataset of that name in the operator's project, made in the store where there is none."""
    named = (Condition(field="name", op=Op.EQ, value=wish.name),)
    found = datasets.list_own(tx, site.caller, Query(where=named, order=(Order(field="id"),), page=Offset(limit=2)))
    if len(found.rows) > 1:
        message = f"there are several datasets {wish.name}; give the samples to one of another name"
        raise DatasetExists(message, name=wish.name)
    for there in found.rows:
        if there.type is wish.type:
            return there
        message = f"the dataset {wish.name} is there, and of another type ({type_name(there.type)})"
        raise DatasetExists(message, name=wish.name)
    new = NewDataset(
        name=wish.name,
        url=wish.asked.path,
        store=store,
        type=wish.type,
        public=wish.public,
        work_path=wish.work_path,
    )
    return datasets.register(tx, site.caller, new, path=wish.asked.path)


def _outside(site: Opened, place: str) -> NotInStores:
    roots = ", ".join(map(str, site.settings.store_roots))
    message = (
        f"{place} is in no directory that samples may lie in ({roots}); "
        "put it there, or name the directory above it in TRIVIUM_DATASETS__ROOTS"
    )
    return NotInStores("PATH", message, path=place)


def _length_of(asked: NewImport) -> int | None:
    """The bytes of the source, where it is one file."""
    place = Path(asked.path)
    with suppress(OSError):
        if place.is_file():
            return place.stat().st_size
    return None


def _amount_of(now: SampleImport, length: int | None) -> Amount:
    """How far it is. The position in a source that is one file ends in the offset there."""
    offset = now.position.rpartition(b"\0")[2]
    read = int(offset) if offset.isdigit() else 0
    return Amount(
        samples=now.counts.imported,
        refused=now.counts.refused,
        size=now.counts.size,
        seconds=now.seconds,
        offset=length if length and now.status is TransferStatus.DONE else read,
    )


def _refuse(message: str) -> NoReturn:
    raise click.BadParameter(message, param_hint="PATH")
