"""A dataset is synced with its source: what is new comes in, what is gone goes out, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.sources import Shelf
from tests.waiting import until_async
from trivium.base.reasons import Reason
from trivium.resources import events, samples, transfers
from trivium.resources.datasets import DatasetPublishing, DatasetType
from trivium.resources.datasets.ports import LabelType, SampleLabel
from trivium.resources.samples import Annotation
from trivium.resources.transfers import (
    NewVersion,
    NotSyncable,
    SampleImport,
    TransferRunning,
    TransferStatus,
    Way,
    syncing,
)

LION: Final = SampleLabel(name="lion", type=LabelType.IMAGE_CLASSIFICATION)


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def code_of(reason: Reason | None) -> str | None:
    return None if reason is None else reason.code


async def test_what_is_gone_goes_what_is_new_comes_and_a_person_s_labels_stay(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog")
    await shelf.read(dataset, path)
    kept = next(row for row in shelf.all(dataset) if row.path.endswith(b"dog/0001.png"))
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=[Annotation(kept.uuid, labels=(LION,))])
    shutil.rmtree(path / "cat")
    (path / "dog" / "0000.png").unlink()
    shutil.copy(path / "dog" / "0002.png", path / "dog" / "more.png")
    done = await shelf.synced(dataset)
    assert (done.status, done.sync) == (TransferStatus.DONE, True)
    assert (done.counts.added, done.counts.removed, done.counts.same) == (1, 6, 4)
    names = {row.name: [label.name for label in row.labels] for row in shelf.all(dataset)}
    there = {"0001.png": ["lion"], "0002.png": ["dog"], "0003.png": ["dog"], "0004.png": ["dog"], "more.png": ["dog"]}
    assert names == there
    assert shelf.labels(dataset) == {"cat": (0, 0), "dog": (4, 4), "lion": (1, 1)}
    assert shelf.now(dataset).counts.deleted == 6
    shelf.check(dataset)


async def test_nothing_is_taken_out_where_nothing_is_gone(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat")
    await shelf.read(dataset, path)
    before = shelf.all(dataset)
    done = await shelf.synced(dataset)
    assert (done.counts.added, done.counts.removed, done.counts.same) == (0, 0, 5)
    assert shelf.all(dataset) == before


@pytest.mark.parametrize(("left", "code"), [(False, "dataset.source.absent"), (True, "dataset.source.empty")])
async def test_a_source_that_is_away_empties_no_dataset(shelf: Shelf, *, left: bool, code: str) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat")
    await shelf.read(dataset, path)
    path.rename(shelf.root / "away")
    if left:  # as where something was mounted
        path.mkdir()
    done = await shelf.synced(dataset)
    assert (done.status, code_of(done.reason), done.counts.removed) == (TransferStatus.FAILED, code, 0)
    assert len(shelf.all(dataset)) == 5
    if left:
        path.rmdir()
    (shelf.root / "away").rename(path)
    assert (await shelf.synced(dataset)).counts.same == 5


async def test_a_source_that_goes_away_amid_a_sync_takes_out_nothing_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivium.resources.transfers.worker.MOST", 4)
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=12)
    await shelf.read(dataset, path)
    (path / "cat" / "0000.png").unlink()
    looked_at = syncing.take_gone

    def goes(tx: object, one: SampleImport, **told: object) -> SampleImport | None:
        if path.exists():
            path.rename(shelf.root / "away")
        return looked_at(tx, one, **told)  # pyright: ignore[reportArgumentType] - handed on as it came

    monkeypatch.setattr(syncing, "take_gone", goes)
    done = await shelf.synced(dataset)
    assert (done.status, code_of(done.reason), done.counts.removed) == (
        TransferStatus.FAILED,
        "dataset.source.absent",
        1,
    )
    assert len(shelf.all(dataset)) == 11
    shelf.check(dataset)


async def test_a_worker_that_ends_amid_a_sync_is_gone_on_with(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.resources.transfers.worker.MOST", 3)
    dataset, path = shelf.dataset(), shelf.images("cat", "dog", of_each=15)
    await shelf.read(dataset, path)
    for number in range(0, 15, 2):
        (path / "cat" / f"{number:04}.png").unlink()
    one = shelf.store.write_now(transfers.begin_sync, shelf.alice, dataset.uuid)
    ends = 0
    while (before := shelf.imported(one, dataset)).finished_at is None:
        async with shelf.working():

            async def further(before: SampleImport = before) -> bool:
                now = shelf.imported(one, dataset)
                moved = (now.counts.total, now.looked) > (before.counts.total, before.looked)
                return moved or now.finished_at is not None

            await until_async(further)
        ends += 1
        shelf.check(dataset)
    done = shelf.imported(one, dataset)
    assert ends > 1
    assert (done.counts.total, done.counts.removed, done.counts.added) == (22, 8, 0)
    assert len(shelf.all(dataset)) == 22


async def test_one_that_is_stopped_keeps_what_it_did_and_the_next_one_does_the_rest(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat")
    await shelf.read(dataset, path)
    (path / "cat" / "0000.png").unlink()
    one = shelf.store.write_now(transfers.begin_sync, shelf.alice, dataset.uuid)
    with pytest.raises(TransferRunning):
        shelf.store.write_now(transfers.begin_sync, shelf.alice, dataset.uuid)
    with pytest.raises(TransferRunning):
        shelf.begin(dataset, path)
    stopped = shelf.store.write_now(transfers.stop_import, shelf.alice, dataset.uuid, uuid=one.uuid)
    assert (stopped.status, len(shelf.all(dataset))) == (TransferStatus.STOPPED, 5)
    assert (await shelf.synced(dataset)).counts.removed == 1
    assert shelf.store.read_now(transfers.last_sync, dataset) != stopped


async def test_samples_of_other_places_stay(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=2)
    world.write(shelf.root, {"images-too/dog/a.png": world.png(), "images-too/dog/b.png": world.png()})
    await shelf.read(dataset, path)
    await shelf.read(dataset, shelf.root / "images-too")
    (path / "cat" / "0000.png").unlink()
    (shelf.root / "images-too" / "dog" / "a.png").unlink()
    done = await shelf.synced(dataset)
    assert (done.counts.total, done.counts.removed) == (1, 1)
    assert [row.name for row in shelf.all(dataset)] == ["0001.png", "a.png", "b.png"]


async def test_a_manifest_is_read_again_and_files_that_are_gone_beside_it_go_out(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    world.write(shelf.root, {"here/a.png": world.png(), "here/b.png": world.png(), "there/c.png": world.png()})
    sources = ("a.png", "b.png", str(shelf.root / "there" / "c.png"), "content://a text")
    manifest = shelf.root / "here" / "all.manifest"
    manifest.write_text("".join(f"{json.dumps({'source': one})}\n" for one in sources))
    await shelf.read(dataset, manifest, Way.MANIFEST)
    (shelf.root / "here" / "a.png").unlink()
    (shelf.root / "there" / "c.png").unlink()
    done = await shelf.synced(dataset)
    assert (done.status, done.counts.refused, done.counts.removed) == (TransferStatus.DONE, 2, 1)
    assert [row.name for row in shelf.all(dataset)] == ["b.png", "c.png", ""]
    manifest.unlink()
    assert code_of((await shelf.synced(dataset)).reason) == "dataset.source.absent"


async def test_what_no_sync_can_compare_is_refused(shelf: Shelf) -> None:
    texts = shelf.dataset(DatasetType.TEXT_CLASSIFICATION, "texts")
    (shelf.root / "texts").mkdir()
    (shelf.root / "texts" / "a.txt").write_text("a\tb\n")
    await shelf.read(texts, shelf.root / "texts")
    rows = shelf.dataset(DatasetType.FREE, "rows")
    (shelf.root / "a.csv").write_text("a,b\n")
    await shelf.read(rows, shelf.root / "a.csv", Way.TABLE)
    for dataset in (texts, rows, shelf.dataset()):
        with pytest.raises(NotSyncable) as raised:
            shelf.store.write_now(transfers.begin_sync, shelf.alice, dataset.uuid)
        assert raised.value.field == "dataset_id"


async def test_while_a_version_is_written_nothing_is_synced(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat"))
    new = NewVersion(path=str(shelf.root / "work"))
    shelf.store.write_now(transfers.publish, shelf.alice, dataset.uuid, new=new)
    with pytest.raises(DatasetPublishing):
        shelf.store.write_now(transfers.begin_sync, shelf.alice, dataset.uuid)


async def test_what_came_of_a_sync_is_recorded(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat")
    await shelf.read(dataset, path)
    (path / "cat" / "0000.png").unlink()
    await shelf.synced(dataset)
    found = shelf.store.read_now(events.latest, "dataset", target=dataset.id)
    assert [event.action for event in found][:2] == ["dataset.synced", "dataset.sync"]
    assert json.loads(found[0].after or "") == {"imported": 4, "refused": 0, "reason": None, "added": 0, "removed": 1}
