"""Samples are imported into datasets, labelled and taken out again; the numbers are always those of the rows."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from blake3 import blake3
from msgspec import structs
from sqlalchemy import func, select

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.sources import Shelf
from tests.waiting import until_async
from trivium.base.query import Condition, Op
from trivium.base.units import GIB
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import DatasetType
from trivium.resources.datasets.ports import LabelType, SampleLabel, SampleUsage
from trivium.resources.samples import (
    Annotation,
    LabelDeletion,
    LabelExists,
    Named,
    NewLabel,
    NoSuchLabel,
    NoSuchSample,
    SampleState,
    ShortcutTaken,
)
from trivium.resources.samples import table as tables
from trivium.resources.transfers import NotImportable, TransferRunning, TransferStatus, Way
from trivium.resources.transfers.table import imports

CAT: Final = Named(LabelType.IMAGE_CLASSIFICATION, "cat")
DOG: Final = Named(LabelType.IMAGE_CLASSIFICATION, "dog")


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


async def test_a_directory_is_imported_with_its_labels_and_numbers(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    done = await shelf.read(dataset, shelf.images("cat", "dog"))
    assert (done.status, done.counts.total, done.counts.imported, done.counts.annotated) == (
        TransferStatus.DONE,
        10,
        10,
        10,
    )
    assert shelf.labels(dataset) == {"cat": (5, 5), "dog": (5, 5)}
    shelf.check(dataset)
    first = shelf.all(dataset)[0]
    assert (first.name, [label.name for label in first.labels]) == ("0000.png", ["cat"])
    assert (first.size, first.digest) == (len(world.png(8, 8)), blake3(world.png(8, 8)).digest())


async def test_what_is_imported_again_adds_only_what_changed(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog")
    await shelf.read(dataset, path)
    before = {row.path: row for row in shelf.all(dataset)}
    (path / "cat" / "0000.png").write_bytes(world.png(9, 9))
    (path / "dog" / "0001.png").unlink()
    shutil.copy(path / "dog" / "0002.png", path / "cat" / "more.png")
    done = await shelf.read(dataset, path)
    assert (done.counts.imported, done.counts.same) == (10, 8)
    after = {row.path: row for row in shelf.all(dataset)}
    assert {row.uuid for row in before.values()} <= {row.uuid for row in after.values()}
    assert len(after) == 11
    assert {path for path, row in before.items() if after[path] != row} == {bytes(path / "cat" / "0000.png")}
    shelf.check(dataset)


async def test_a_person_s_labels_stay_until_the_source_says_something_else(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=1)
    await shelf.read(dataset, path)
    (sample,) = shelf.all(dataset)
    said = Annotation(uuid=sample.uuid, labels=(SampleLabel(name="lion", type=LabelType.IMAGE_CLASSIFICATION),))
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=[said])
    await shelf.read(dataset, path)
    assert [label.name for row in shelf.all(dataset) for label in row.labels] == ["lion"]
    (path / "cat" / "0000.txt").write_text("tiger\n")
    await shelf.read(dataset, path)
    assert [label.name for row in shelf.all(dataset) for label in row.labels] == ["tiger"]
    shelf.check(dataset)


async def test_what_cannot_be_read_is_listed_and_the_rest_is_there(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog")
    (path / "cat" / "0001.png").write_bytes(b"no image")
    (path / "dog" / "alone.txt").write_text("dog\n")
    done = await shelf.read(dataset, path)
    assert (done.status, done.counts.refused, done.counts.total) == (TransferStatus.DONE, 2, done.counts.imported + 2)
    refused = shelf.store.read_now(transfers.list_refusals, done)
    assert [(one.number, one.name) for one in refused] == [(1, "cat/0001.png"), (2, "dog/alone.txt")]
    assert all(one.reason.code.startswith("dataset.source.") for one in refused)
    shelf.check(dataset)


async def test_a_manifest_brings_states_usages_and_texts(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    path = shelf.images("cat", of_each=3)
    kind = "modelarts/image_classification"
    lines: list[dict[str, Any]] = [
        {"source": str(path / "cat/0000.png"), "usage": "TRAIN", "annotation": [{"type": kind, "name": "cat"}]},
        {
            "source": str(path / "cat/0001.png"),
            "annotation": [{"type": kind, "name": "cat", "annotated-by": "auto", "confidence": 0.4}],
        },
        {"source": str(path / "cat/0002.png")},
        {"source": str(path / "cat/none.png")},
    ]
    manifest = shelf.root / "some.manifest"
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = await shelf.read(dataset, manifest, Way.MANIFEST)
    assert (done.counts.total, done.counts.imported, done.counts.refused) == (4, 3, 1)
    rows = shelf.all(dataset)
    assert [row.state for row in rows] == [SampleState.ANNOTATED, SampleState.AUTOMATIC, SampleState.BARE]
    assert [row.usage for row in rows] == [SampleUsage.TRAIN, None, None]
    assert [row.score for row in rows] == [None, 0.4, None]
    shelf.check(dataset)


async def test_a_worker_that_is_ended_while_it_reads_counts_no_fault(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.root / "texts.manifest"
    path.write_text("".join(f'{{"source": "content://{number}"}}\n' for number in range(3000)))
    size = path.stat().st_size
    os.truncate(path, GIB)  # the last line takes a second to pass over
    one = shelf.begin(dataset, path, Way.MANIFEST)

    async def some() -> bool:
        return shelf.imported(one, dataset).counts.imported > 0

    async with shelf.working():
        await until_async(some)
    faults = select(imports.c.faults).where(imports.c.uuid == one.uuid)
    assert shelf.store.read_now(lambda tx: tx.value(faults)) == 0
    assert shelf.imported(one, dataset).status is TransferStatus.RUNNING
    os.truncate(path, size)
    async with shelf.working():
        done = await shelf.ended(one, dataset)
    assert (done.status, done.counts.imported, done.counts.same) == (TransferStatus.DONE, 3000, 0)
    assert shelf.now(dataset).counts.total == 3000


async def test_a_source_that_is_not_there_fails_and_says_why(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    done = await shelf.read(dataset, shelf.root / "none")
    assert done.status is TransferStatus.FAILED
    assert done.reason is not None
    assert done.reason.code == "dataset.source.absent"


async def test_one_import_at_a_time_and_one_that_is_stopped_keeps_what_came(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    one = shelf.begin(dataset, shelf.images("cat"))
    with pytest.raises(TransferRunning):
        shelf.begin(dataset, shelf.root)
    stopped = shelf.store.write_now(transfers.stop_import, shelf.alice, dataset.uuid, uuid=one.uuid)
    assert stopped.status is TransferStatus.STOPPED
    assert shelf.store.write_now(transfers.stop_import, shelf.alice, dataset.uuid, uuid=one.uuid) == stopped
    done = await shelf.read(dataset, shelf.root / "images")
    assert done.counts.imported == 5


def test_types_that_directories_say_nothing_of_are_refused(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.IMAGE_SEGMENTATION)
    with pytest.raises(NotImportable):
        shelf.begin(dataset, shelf.root)


async def test_a_worker_that_ends_amid_an_import_is_gone_on_with(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.resources.transfers.worker.MOST", 3)
    dataset, path = shelf.dataset(), shelf.images("cat", "dog", of_each=25)
    one = shelf.begin(dataset, path)
    ends = 0
    while shelf.imported(one, dataset).finished_at is None:
        before = shelf.imported(one, dataset).counts.total
        async with shelf.working():

            async def further(before: int = before) -> bool:
                now = shelf.imported(one, dataset)
                return now.counts.total > before or now.finished_at is not None

            await until_async(further)
        ends += 1
        shelf.check(dataset)
    assert ends > 1
    assert (shelf.imported(one, dataset).counts.imported, shelf.now(dataset).counts.total) == (50, 50)


async def test_a_deleted_dataset_leaves_nothing(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(), shelf.dataset(name="others")
    await shelf.read(dataset, shelf.images("cat", "dog"))
    await shelf.read(other, shelf.root / "images")
    shelf.store.write_now(datasets.delete, shelf.alice, dataset.uuid, users=transfers.DATASET_USERS)
    assert shelf.store.read_now(samples.is_anything_left)
    while shelf.store.write_now(samples.purge):
        pass
    assert not shelf.store.read_now(samples.is_anything_left)
    for table, number in ((tables.samples, 10), (tables.labels, 2), (tables.labelled, 10), (tables.leftovers, 0)):
        found = shelf.store.read_now(lambda tx, table=table: tx.value(select(func.count()).select_from(table)))
        assert found == number, table.name
    shelf.check(other)


def test_labels_are_made_changed_and_refused(shelf: Shelf) -> None:
    dataset, alice, store = shelf.dataset(), shelf.alice, shelf.store
    key = {"@modelarts:shortcut": "c", "@modelarts:color": "#3399ff"}
    made = store.write_now(
        samples.create_labels,
        alice,
        dataset.uuid,
        new=[NewLabel(name="cat", type=CAT.type, property=key), NewLabel(name="dog", type=DOG.type)],
    )
    assert [label.property for label in made] == [key, {}]
    with pytest.raises(LabelExists):
        store.write_now(samples.create_labels, alice, dataset.uuid, new=[NewLabel(name="cat", type=CAT.type)])
    with pytest.raises(ShortcutTaken):
        store.write_now(samples.change_label, alice, dataset.uuid, named=DOG, property={"@modelarts:shortcut": "c"})
    store.write_now(samples.change_label, alice, dataset.uuid, named=CAT, property=key)  # its own is no other's
    with pytest.raises(LabelExists):
        store.write_now(samples.change_label, alice, dataset.uuid, named=DOG, name="cat")
    with pytest.raises(NoSuchLabel):
        store.write_now(samples.delete_labels, alice, dataset.uuid, wanted=[Named(LabelType.VIDEO, "cat")])


async def test_a_label_has_another_name_wherever_it_is(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", "dog"))
    shelf.store.write_now(samples.change_label, shelf.alice, dataset.uuid, named=CAT, name="lion")
    assert shelf.labels(dataset) == {"lion": (5, 5), "dog": (5, 5)}
    shelf.check(dataset)


@pytest.mark.parametrize("along", LabelDeletion)
async def test_a_label_goes_alone_or_with_the_samples_that_have_no_other(shelf: Shelf, along: LabelDeletion) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog")
    (path / "cat" / "0000.txt").write_text("cat\ndog\n")
    for number in range(1, 5):
        (path / "cat" / f"{number:04}.txt").write_text("cat\n")
    await shelf.read(dataset, path)
    shelf.store.write_now(samples.delete_labels, shelf.alice, dataset.uuid, wanted=[CAT], along=along)
    while shelf.store.write_now(samples.settle, dataset.uuid):
        pass
    left = 10 if along is LabelDeletion.ALONE else 6
    assert (shelf.now(dataset).counts.deleted, len(shelf.all(dataset))) == (10 - left, left)
    assert shelf.labels(dataset) == {"dog": (6, 6)}
    shelf.check(dataset)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_said_of_samples_the_numbers_are_right(shelf: Shelf, seed: int) -> None:
    chance = random.Random(seed)
    dataset, alice, store = shelf.dataset(), shelf.alice, shelf.store
    await shelf.read(dataset, shelf.images("cat", "dog", "bird"), confirmed=seed != 1)
    names = ["cat", "dog", "bird", "lion"]
    for _ in range(25):
        rows = shelf.all(dataset)
        some = chance.sample(rows, min(len(rows), chance.randint(1, 4)))
        match chance.randrange(5):
            case 0 | 1:
                said = [
                    Annotation(
                        uuid=row.uuid,
                        labels=tuple(
                            SampleLabel(name=chance.choice(names), type=CAT.type) for _ in range(chance.randrange(4))
                        ),
                    )
                    for row in some
                ]
                store.write_now(samples.annotate, alice, dataset.uuid, said=said, confirmed=chance.random() < 0.5)
            case 2:
                said = [Annotation(uuid=row.uuid, labels=row.labels) for row in some]  # as whoever confirms them does
                store.write_now(samples.annotate, alice, dataset.uuid, said=said)
            case 3:
                store.write_now(samples.remove, alice, dataset.uuid, uuids=[row.uuid for row in some[:1]])
            case _:
                said = [Annotation(uuid=row.uuid, usage=SampleUsage.EVAL, metadata={"a": 1}) for row in some]
                store.write_now(samples.annotate, alice, dataset.uuid, said=said)
                again = {row.uuid: row for row in shelf.all(dataset)}
                assert all(
                    structs.replace(again[row.uuid], usage=row.usage, metadata=row.metadata, changed_at=row.changed_at)
                    == row
                    for row in some
                )
        shelf.check(dataset)
        if len(shelf.all(dataset)) < 3:
            break


async def test_samples_of_another_dataset_are_none(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(), shelf.dataset(name="others")
    await shelf.read(dataset, shelf.images("cat", of_each=2))
    (sample, _) = shelf.all(dataset)
    with pytest.raises(NoSuchSample):
        shelf.store.read_now(samples.get, other, sample.uuid)
    with pytest.raises(NoSuchSample):
        shelf.store.write_now(samples.remove, shelf.alice, other.uuid, uuids=[sample.uuid])
    assert shelf.all(dataset, Condition(field="state", op=Op.EQ, value=SampleState.BARE.value)) == ()
