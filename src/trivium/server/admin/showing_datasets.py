"""What `trivium dataset` shows: datasets, their labels and imports, and what was refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import click

from trivium.base.query import After, Condition, Listed, Offset, Op, Order, Query
from trivium.base.values import Value
from trivium.resources import datasets, samples, stores, transfers
from trivium.resources.datasets import Dataset, DatasetType, NoSuchDataset
from trivium.resources.samples import Label
from trivium.resources.stores import ModelStore
from trivium.resources.transfers import NoSuchTransfer, SampleImport
from trivium.server.admin.opening import Opened
from trivium.server.admin.output import Row, print_json, print_row, print_rows
from trivium.server.admin.telling import language_of
from trivium.store import Read

T = TypeVar("T")
DATASETS: Final = ("name", "type", "center", "visibility", "samples", "annotated", "unconfirmed", "url")
LABELS: Final = ("label", "of", "samples", "number")
IMPORTS: Final = ("import", "status", "total", "imported", "same", "refused", "created_at", "path")
REFUSALS: Final = ("number", "file", "line", "why")
PAGE: Final = 500
LAST: Final = 10  # imports
MANY: Final = 20  # labels: how many of them people are shown
OLDEST_FIRST: Final = (Order(field="id"),)
NEWEST_FIRST: Final = (Order(field="id", descending=True),)


class Look(Value, frozen=True):
    """All that is shown of one dataset."""

    row: Row
    labels: Sequence[Row]
    imports: Sequence[Row]

    def show(self, output: str) -> None:
        """Print it: all as one JSON object, or the numbers, the first labels and the last imports."""
        if output == "json":
            print_json({**self.row, "labels": self.labels, "imports": self.imports})
            return
        print_row(self.row, output=output)
        if self.labels:
            click.echo()
            print_rows(self.labels[:MANY], LABELS, output=output)
        if len(self.labels) > MANY:
            click.echo(f"… and {len(self.labels) - MANY:,} more labels; -o json has all")
        if self.imports:
            click.echo()
            print_rows(self.imports, IMPORTS, output=output)


class Refusals(Value, frozen=True):
    """A page of what was refused."""

    rows: Sequence[Row]
    last: int  # the number of the last one
    left: int  # how many come after it


def type_name(type: DatasetType) -> str:
    """What a type is called on the command line."""
    return type.name.lower().replace("_", "-")


def rows(tx: Read, site: Opened) -> list[Row]:
    """Every dataset, oldest first."""
    centers = {one.uuid: one for one in stores.everywhere(tx)}
    return [_dataset_row(one, centers) for one in _every(partial(datasets.LISTING.page, tx, site.caller))]


def look(tx: Read, site: Opened, named: str) -> Look:
    """The dataset of that uuid, or the only one of that name. `NoSuchDataset`."""
    found = one_of(tx, site, named)
    centers = {one.uuid: one for one in stores.everywhere(tx)}
    return Look(
        row=_dataset_row(found, centers),
        labels=[_label_row(one) for one in _every(partial(samples.list_labels, tx, found))],
        imports=[import_row(found, one) for one in _last(tx, found, most=LAST)],
    )


def refusals(tx: Read, site: Opened, named: str, *, of: UUID | None, after: int, most: int) -> Refusals:
    """What was refused in an import, or in the last one. `NoSuchDataset`, `NoSuchTransfer`."""
    found = one_of(tx, site, named)
    one = _last_one(tx, found) if of is None else transfers.get_import(tx, found, of)
    page = transfers.list_refusals(tx, one, after=after, most=most)
    last = page[-1].number if page else after
    language = language_of(os.environ)
    shown = [
        {
            "number": each.number,
            "file": each.name,
            "line": each.line,
            "code": each.reason.code,
            "why": each.reason.say(language),
        }
        for each in page
    ]
    return Refusals(rows=shown, last=last, left=max(one.counts.refused - last, 0))


def import_row(into: Dataset, one: SampleImport) -> Row:
    """An import into a dataset."""
    counts = one.counts
    return {
        "import": one.uuid.hex,
        "dataset_id": into.uuid.hex,
        "dataset": into.name,
        "type": type_name(into.type),
        "path": one.asked.path,
        "way": one.asked.way.value,
        "sync": one.sync,
        "status": one.status.value,
        "reason": None if one.reason is None else one.reason.say(language_of(os.environ)),
        "total": counts.total,
        "imported": counts.imported,
        "same": counts.same,
        "added": counts.added,
        "removed": counts.removed,
        "annotated": counts.annotated,
        "unconfirmed": counts.unconfirmed,
        "sub_samples": counts.sub,
        "refused": counts.refused,
        "size": counts.size,
        "seconds": round(one.seconds, 3),
        "created_at": one.created_at.isoformat(timespec="seconds"),
        "finished_at": None if one.finished_at is None else one.finished_at.isoformat(timespec="seconds"),
    }


def one_of(tx: Read, site: Opened, named: str) -> Dataset:
    """The dataset of that uuid, or the only one of that name. `NoSuchDataset`."""
    uuid = _uuid_of(named)
    called = None if uuid is None else datasets.LISTING.find(tx, site.caller, uuid)
    if called is not None:
        return called
    where = (Condition(field="name", op=Op.EQ, value=named),)
    asked = Query(where=where, order=OLDEST_FIRST, page=Offset(limit=PAGE), total=False)
    found = datasets.LISTING.page(tx, site.caller, asked).rows  # without regard to case
    there = [one for one in found if one.name == named] or [*found]
    if not there:
        message = f"there is no dataset {named}; `trivium dataset list` shows those that there are"
        raise NoSuchDataset(message)
    if len(there) > 1:
        told = ", ".join(f"{one.url} ({one.uuid.hex})" for one in there)
        message = f"several datasets are called {named}; say which by its id: {told}"
        raise click.BadParameter(message, param_hint="NAME|UUID")
    return there[0]


def _uuid_of(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None


def _every(page_of: Callable[[Query], Listed[T]]) -> Iterator[T]:
    """All that there is, oldest first, page by page."""
    page: Offset | After | None = Offset(limit=PAGE)
    while page is not None:
        found = page_of(Query(order=OLDEST_FIRST, page=page, total=False))
        yield from found.rows
        page = None if found.next is None else After(limit=PAGE, key=found.next)


def _last(tx: Read, of: Dataset, *, most: int) -> Sequence[SampleImport]:
    return transfers.list_imports(tx, of, Query(order=NEWEST_FIRST, page=Offset(limit=most), total=False)).rows


def _last_one(tx: Read, of: Dataset) -> SampleImport:
    found = _last(tx, of, most=1)
    if not found:
        message = f"nothing was imported into the dataset {of.name}"
        raise NoSuchTransfer(message)
    return found[0]


def _dataset_row(one: Dataset, centers: Mapping[UUID, ModelStore]) -> Row:
    center = centers.get(one.store)
    counts = one.counts
    return {
        "id": one.uuid.hex,
        "name": one.name,
        "type": type_name(one.type),
        "center": one.store.hex if center is None else center.name,
        "visibility": "public" if one.public else "project",
        "samples": counts.total,
        "annotated": counts.annotated,
        "unconfirmed": counts.unconfirmed,
        "sub_samples": counts.sub,
        "deleted": counts.deleted,
        "url": one.url,
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }


def _label_row(one: Label) -> Row:
    return {
        "label": one.name,
        "of": one.type.name.lower().replace("_", "-"),
        "samples": one.samples,
        "number": one.number,
    }
