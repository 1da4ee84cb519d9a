"""What is deleted together with very many rows goes a few thousand at a time, and the numbers are right all along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Table, func, insert, select

from tests.builders import Place, place
from tests.sources import Shelf
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset, DatasetPublishing
from trivium.resources.datasets.ports import LabelType, Refusal, Sample, SampleKind, SampleLabel, SampleUsage
from trivium.resources.datasets.table import dataset_of
from trivium.resources.datasets.table import datasets as datasets_table
from trivium.resources.samples import Annotation, LabelDeletion, LabelsLeaving, Named, NewLabel, SampleState
from trivium.resources.samples import table as tables
from trivium.resources.samples.leaving import AT_ONCE
from trivium.resources.transfers import NewVersion, importing, publishing, table, users
from trivium.resources.transfers.importing import FAULT
from trivium.store import Read, Write

CAT: Final = Named(LabelType.IMAGE_CLASSIFICATION, "cat")
MANY: Final = 7_000
BOTH: Final = MANY // 4  # have another label as well


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def filled(shelf: Shelf, many: int = MANY, both: int = BOTH) -> Dataset:
    """A dataset of so many cats, some of which are dogs, too."""
    dataset = shelf.dataset()

    def put(tx: Write, start: int) -> None:
        found = [one(number, "cat", *(("dog",) if number < both else ())) for number in range(start, start + 2000)]
        samples.put(tx, dataset.id, found[: many - start], base=b"/srv")

    for start in range(0, many, 2000):
        shelf.store.write_now(put, start)
    return shelf.now(dataset)


def one(number: int, *labels: str) -> Sample:
    path = b"%06d.png" % number
    said = tuple(SampleLabel(name=name, type=CAT.type) for name in labels)
    return Sample(position=path, path=path, size=1, kind=SampleKind.IMAGE, labels=said)


def number(tx: Read, of: Table, *where: Any) -> int:
    return int(tx.value(select(func.count()).select_from(of).where(*where)) or 0)


def check(tx: Read, dataset: Dataset) -> tuple[int, int]:
    """Hold the numbers of a dataset against its rows; how many samples and marks of labels there are."""
    row = tx.first(select(datasets_table).where(datasets_table.c.id == dataset.id))
    assert row is not None
    mine = tables.samples.c.dataset_id == dataset.id
    there = number(tx, tables.samples, mine)
    bare = number(tx, tables.samples, mine, tables.samples.c.state == SampleState.BARE.value)
    assert (row.samples_total, row.samples_annotated, row.size) == (there, there - bare, there)
    assert samples.by_state(tx, dataset_of(row))[SampleState.BARE] == bare
    dog = tx.first(select(tables.labels).where(tables.labels.c.name == "dog"))
    assert dog is None or dog.samples == number(tx, tables.labelled, tables.labelled.c.label_id == dog.id)
    return there, number(tx, tables.labelled)


def rounds(shelf: Shelf, do: Callable[[], bool], measure: Callable[[Read], int]) -> list[int]:
    """How many rows each transaction took away, until nothing is left to do."""
    found = []
    before = shelf.store.read_now(measure)
    while do():
        now = shelf.store.read_now(measure)
        found.append(before - now)
        before = now
    return found


@pytest.mark.parametrize("along", LabelDeletion)
def test_a_label_of_very_many_samples_is_taken_from_some_at_a_time(shelf: Shelf, along: LabelDeletion) -> None:
    dataset, store = filled(shelf), shelf.store
    before = store.read_now(check, dataset)
    store.write_now(samples.delete_labels, shelf.alice, dataset.uuid, wanted=[CAT], along=along)
    assert store.read_now(check, dataset) == before == (MANY, MANY + BOTH)
    assert [*shelf.labels(dataset)] == ["dog"]
    took = rounds(shelf, lambda: store.write_now(samples.settle, dataset.uuid), lambda tx: check(tx, dataset)[1])
    assert (sum(took), max(took)) == (MANY, AT_ONCE)
    left = MANY if along is LabelDeletion.ALONE else BOTH
    assert store.read_now(check, dataset) == (left, BOTH)
    now = shelf.now(dataset).counts
    assert (now.annotated, now.deleted) == (BOTH, MANY - left)
    assert not store.read_now(samples.is_anything_left)


def test_whoever_ends_amid_it_leaves_the_rest_to_the_next_one(shelf: Shelf) -> None:
    dataset, store, alice = filled(shelf, 3 * AT_ONCE, 10), shelf.store, shelf.alice
    along = LabelDeletion.SAMPLES
    store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[CAT], along=along)
    assert store.write_now(samples.settle, dataset.uuid)
    label = SampleLabel(name="cat", type=CAT.type)  # the same name, and another label
    store.write_now(samples.create_labels, alice, dataset.uuid, new=[NewLabel(name="cat", type=CAT.type)])
    last = store.read_now(last_of, dataset)
    store.write_now(samples.annotate, alice, dataset.uuid, said=[Annotation(uuid=last, labels=(label,))])
    with pytest.raises(LabelsLeaving):
        store.write_now(transfers.publish, alice, dataset.uuid, new=NewVersion(path="/srv/work"))
    while store.write_now(samples.purge):  # as a worker does it
        store.read_now(check, dataset)
    assert store.read_now(check, dataset) == (11, 11)
    assert shelf.labels(dataset) == {"dog": (10, 10), "cat": (1, 1)}
    shelf.check(dataset)
    store.write_now(transfers.publish, alice, dataset.uuid, new=NewVersion(path="/srv/work"))
    with pytest.raises(DatasetPublishing):
        store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[CAT])


@pytest.mark.parametrize(("along", "left"), [(LabelDeletion.ALONE, 1), (LabelDeletion.SAMPLES, 0)])
def test_a_label_that_is_leaving_goes_from_samples_that_something_else_is_said_of(
    shelf: Shelf, along: LabelDeletion, left: int
) -> None:
    dataset, store, alice = filled(shelf, 1, 0), shelf.store, shelf.alice
    store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[CAT], along=along)
    said = Annotation(uuid=store.read_now(last_of, dataset), usage=SampleUsage.TEST, metadata={"seen": True})
    store.write_now(samples.annotate, alice, dataset.uuid, said=[said])
    while store.write_now(samples.settle, dataset.uuid):
        pass
    rows = shelf.all(dataset)
    assert [(row.state, row.usage) for row in rows] == [(SampleState.BARE, SampleUsage.TEST)] * left
    shelf.check(dataset)


def test_a_deleted_dataset_takes_its_leaving_labels_along(shelf: Shelf) -> None:
    dataset, store, alice = filled(shelf, 2 * AT_ONCE, 10), shelf.store, shelf.alice
    store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[CAT])
    store.write_now(datasets.delete, alice, dataset.uuid, users=transfers.DATASET_USERS)
    assert not store.write_now(samples.settle, dataset.uuid)
    took = rounds(shelf, lambda: store.write_now(samples.purge), lambda tx: number(tx, tables.samples))
    assert (sum(took), max(took)) == (2 * AT_ONCE, AT_ONCE)
    for each in (tables.samples, tables.labels, tables.labelled, tables.leaving, tables.leftovers):
        assert store.read_now(number, each) == 0, each.name


def test_very_many_labels_of_a_deleted_dataset_go_some_at_a_time(shelf: Shelf) -> None:
    dataset, store, alice = shelf.dataset(), shelf.store, shelf.alice

    def fill(tx: Write) -> None:
        same = {"dataset_id": dataset.id, "type": 0, "property": "{}", "attributes": "[]", "samples": 0, "number": 0}
        rows = [{**same, "id": tx.ids.next(), "name": f"l{at}", "created_at": tx.now} for at in range(3 * AT_ONCE)]
        tx.run(insert(tables.labels), rows)

    store.write_now(fill)
    store.write_now(datasets.delete, alice, dataset.uuid, users=transfers.DATASET_USERS)
    took = rounds(shelf, lambda: store.write_now(samples.purge), lambda tx: number(tx, tables.labels))
    assert (sum(took), max(took)) == (3 * AT_ONCE, AT_ONCE)


def test_very_many_refusals_of_a_deleted_dataset_go_some_at_a_time(shelf: Shelf) -> None:
    dataset, other, store = shelf.dataset(), shelf.dataset(name="others"), shelf.store
    for each, many in ((dataset, MANY), (other, 3)):
        refused(shelf, each, many)
    store.write_now(datasets.delete, shelf.alice, dataset.uuid, users=transfers.DATASET_USERS)
    assert store.read_now(number, table.refusals) == MANY + 3
    assert store.read_now(transfers.is_anything_left)
    took = rounds(shelf, lambda: store.write_now(transfers.purge), lambda tx: number(tx, table.refusals))
    assert (sum(took), max(took)) == (MANY, users.AT_ONCE)
    assert store.read_now(number, table.refusals) == 3
    assert not store.read_now(transfers.is_anything_left)


def test_a_label_without_samples_leaves_nothing_and_a_version_can_be_published_at_once(shelf: Shelf) -> None:
    dataset, store, alice = shelf.dataset(), shelf.store, shelf.alice
    store.write_now(samples.create_labels, alice, dataset.uuid, new=[NewLabel(name="cat", type=CAT.type)])
    store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[CAT])
    assert not store.read_now(samples.is_anything_left)
    made = store.write_now(transfers.publish, alice, dataset.uuid, new=NewVersion(path="/srv/work"))
    assert store.read_now(publishing.find_version, made.id) == made


def refused(shelf: Shelf, dataset: Dataset, many: int) -> None:
    """An import of which nothing came but refusals."""
    begun = shelf.begin(dataset, shelf.root)
    taken = shelf.store.write_now(importing.take, begun.id)
    for start in range(0, many, 2000):
        some = range(start, min(start + 2000, many))
        found = [Refusal(position=b"%d" % at, path=b"x", reason=FAULT) for at in some]
        assert taken is not None
        taken = shelf.store.write_now(importing.keep, taken, found, base=b"/srv", seconds=0.0)
    shelf.store.write_now(importing.finish, begun.id)


def last_of(tx: Read, dataset: Dataset) -> Any:
    wanted = select(tables.samples.c.uuid).where(tables.samples.c.dataset_id == dataset.id)
    return tx.value(wanted.order_by(tables.samples.c.id.desc()).limit(1))
