"""Samples are deleted with their files: those that may be, and no others, wherever a worker ends."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from blake3 import blake3
from msgspec import structs
from sqlalchemy import event, func, select, text

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.rollback import rolled_back
from tests.sources import Shelf
from tests.waiting import until, until_async
from trivium.base.caller import Caller, Role
from trivium.base.clock import ManualClock
from trivium.drivers.annotations import SourceReader
from trivium.drivers.samples import FileRemover
from trivium.drivers.samples.removal import barred
from trivium.resources import datasets, events, samples, transfers
from trivium.resources.datasets import Dataset, DatasetType, NewDataset
from trivium.resources.datasets.ports import LabelType, Sample, SampleKind, SampleLabel
from trivium.resources.samples import Annotation, Arrived, Named, SourceNoFile, SourceNotYours, SourcePublished
from trivium.resources.samples.ports import Fate, Removal, Remover
from trivium.resources.stores import Hold
from trivium.resources.transfers import FileDeletionWorker, Form, NewImport, Way, deletions, importing
from trivium.store import Flavour, Read, Write

CAT: Final = Named(LabelType.IMAGE_CLASSIFICATION, "cat")
BOX: Final = """<annotation><object><name>cat</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>"""
LATER: Final = timedelta(hours=1)


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url, ManualClock(datetime.now(UTC) + LATER)) as made:  # after every file was written
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def later(shelf: Shelf) -> None:
    clock = shelf.here.clock
    assert isinstance(clock, ManualClock)
    clock.move(LATER)


def deleting(shelf: Shelf, dataset: Dataset, *names: str, by: Caller | None = None) -> None:
    """Have samples deleted with their files, by their names."""
    uuids = [row.uuid for row in shelf.all(dataset) if row.name in names]
    caller = by or shelf.alice
    shelf.store.write_now(transfers.remove_with_files, caller, dataset.uuid, uuids=uuids, field="delete_source")


def deleting_label(shelf: Shelf, dataset: Dataset, *, by: Caller | None = None, named: Named = CAT) -> None:
    caller = by or shelf.alice
    shelf.store.write_now(transfers.delete_label_with_files, caller, dataset.uuid, named=named, field="delete_policy")
    while shelf.store.write_now(samples.settle, dataset.uuid):
        pass


async def deleted(shelf: Shelf) -> dict[str, Any]:
    """What became of what is to be deleted, as the last event has it."""
    async with shelf.working():
        await shelf.deleted()
    return told(shelf)


def told(shelf: Shelf) -> dict[str, Any]:
    found = shelf.store.read_now(events.latest, "dataset")
    last = next(one for one in found if one.action == "dataset.files_deleted")
    assert last.after is not None
    return json.loads(last.after)


def below(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if not one.is_dir())


def bring(shelf: Shelf, dataset: Dataset, path: Path, content: bytes, *, by: Caller | None = None, **more: Any) -> None:
    """A file that comes over an API."""
    path.write_bytes(content)
    digest = blake3(content).digest()
    one = Sample(
        **{
            "position": bytes(path),
            "path": bytes(path),
            "size": len(content),
            "kind": SampleKind.IMAGE,
            "digest": digest,
            **more,
        }
    )
    shelf.store.write_now(samples.take_in, by or shelf.alice, dataset.uuid, arrived=[Arrived(samples=(one,))])


async def test_files_go_with_their_samples_and_no_sync_brings_them_back(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=4)
    await shelf.read(dataset, path)
    deleting(shelf, dataset, "0000.png", "0002.png")
    assert len(below(path)) == 4  # nothing acts yet
    asked = shelf.store.read_now(events.latest, "dataset", target=dataset.id)[0]
    assert (asked.action, asked.user) == ("dataset.delete_files", shelf.alice.user)
    assert [row.name for row in shelf.all(dataset)] == ["0001.png", "0003.png"]
    assert await deleted(shelf) == {"gone": 2, "stayed": 0, "failed": 0, "files": []}
    assert below(path) == ["cat/0001.png", "cat/0003.png"]
    later(shelf)
    done = await shelf.synced(dataset)
    assert (done.counts.added, done.counts.removed, done.counts.refused) == (0, 0, 0)
    shelf.check(dataset)


def test_nothing_of_a_deletion_is_there_where_the_transaction_is_not(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    bring(shelf, dataset, shelf.root / "a.png", world.png())
    rolled_back(
        shelf.store,
        lambda tx: transfers.remove_with_files(
            tx, shelf.alice, dataset.uuid, uuids=[shelf.all(dataset)[0].uuid], field="x"
        ),
    )
    assert len(shelf.all(dataset)) == 1
    assert shelf.store.read_now(noted) == (0, 0)


async def test_an_import_that_has_read_a_file_before_does_not_bring_its_sample_back(shelf: Shelf) -> None:
    dataset, path, other = shelf.dataset(), shelf.images("cat", of_each=3), shelf.dataset(name="other")
    await shelf.read(dataset, path)
    reader = SourceReader([shelf.root], hasher=blake3)
    one = shelf.begin(other, path)  # of whichever dataset
    found = list(reader.directory(path, one.asked.layout, wanted=one.asked.wanted))
    deleting(shelf, dataset, "0001.png")
    later(shelf)
    remover = FileDeletionWorker(shelf.store, shelf.remover, shelf.tenure)
    running = asyncio.create_task(remover.run())
    await until_async(lambda: asyncio.to_thread(lambda: not (path / "cat/0001.png").exists()))
    await until_async(lambda: shelf.store.read(is_finished))
    running.cancel()
    taken = shelf.store.write_now(importing.take, one.id)
    assert taken is not None
    kept = shelf.store.write_now(importing.keep, taken, found, base=bytes(path), seconds=1)
    assert kept is not None
    assert (kept.counts.imported, kept.counts.refused, kept.position) == (2, 0, b"cat/0002.png")
    assert [row.name for row in shelf.all(other)] == ["0000.png", "0002.png"]
    assert shelf.store.read_now(noted) == (1, 1)  # as long as the import goes on
    shelf.store.write_now(importing.finish, one.id)
    async with shelf.working():
        await shelf.deleted()
    assert shelf.store.read_now(noted) == (0, 0)


async def test_a_file_that_an_import_is_just_making_a_sample_of_stays(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction began before the deletion, and knows nothing of it."""
    if shelf.store.flavour is Flavour.SQLITE:
        pytest.skip("one transaction at a time writes there")
    dataset, path, other = shelf.dataset(), shelf.images("cat", of_each=2), shelf.dataset(name="other")
    await shelf.read(dataset, path)
    one = shelf.begin(other, path)
    reader = SourceReader([shelf.root], hasher=blake3)
    found = list(reader.directory(path, one.asked.layout, wanted=one.asked.wanted))
    taken = shelf.store.write_now(importing.take, one.id)
    assert taken is not None
    has_looked, goes_on, look = threading.Event(), threading.Event(), samples.is_deleting

    def looking(tx: Read) -> bool:
        known = look(tx)
        has_looked.set()
        assert goes_on.wait(20)
        return known

    monkeypatch.setattr(samples, "is_deleting", looking)
    keeping = asyncio.create_task(
        asyncio.to_thread(
            shelf.store.write_now,
            importing.keep,
            taken,
            found,
            base=bytes(path),
            seconds=1,
        )
    )
    assert await asyncio.to_thread(has_looked.wait, 20)
    deleting(shelf, dataset, "0000.png")
    worker = asyncio.create_task(FileDeletionWorker(shelf.store, shelf.remover, shelf.tenure).run())
    await until_async(lambda: shelf.store.read(is_somebody_waiting))
    goes_on.set()
    await keeping
    shelf.store.write_now(importing.finish, one.id)
    await shelf.deleted()
    worker.cancel()
    assert told(shelf) == {"gone": 0, "stayed": 1, "failed": 0, "files": []}
    assert below(path) == ["cat/0000.png", "cat/0001.png"]
    assert len(shelf.all(other)) == 2


async def test_what_another_sample_is_made_of_stays(shelf: Shelf) -> None:
    dataset, path, other = shelf.dataset(), shelf.images("cat", of_each=3), shelf.dataset(name="other")
    await shelf.read(dataset, path)
    manifest = shelf.root / "other.manifest"
    manifest.write_text(json.dumps({"source": "images/cat/0001.png"}))
    await shelf.read(other, manifest, Way.MANIFEST)
    deleting(shelf, dataset, "0000.png", "0001.png")
    assert await deleted(shelf) == {"gone": 1, "stayed": 1, "failed": 0, "files": []}
    assert below(path) == ["cat/0001.png", "cat/0002.png"]
    shelf.store.write_now(datasets.delete, shelf.alice, other.uuid, users=transfers.DATASET_USERS)
    later(shelf)
    await shelf.synced(dataset)
    deleting(shelf, dataset, "0001.png")  # its rows are not purged yet, and count no more
    assert (await deleted(shelf))["gone"] == 1


@pytest.mark.parametrize("size", ["same", "other"])
async def test_what_is_not_what_was_imported_stays(shelf: Shelf, size: str) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=2)
    await shelf.read(dataset, path)
    changed = path / "cat" / "0000.png"
    raw = changed.read_bytes()
    changed.write_bytes(raw[:-1] + b"!" if size == "same" else raw + b"!")
    deleting(shelf, dataset, "0000.png", "0001.png")
    assert await deleted(shelf) == {"gone": 1, "stayed": 1, "failed": 0, "files": []}
    assert below(path) == ["cat/0000.png"]


async def test_labels_beside_samples_go_along_where_an_import_read_them(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(DatasetType.OBJECT_DETECTION), shelf.root / "boxes"
    path.mkdir()
    for name in ("a.png", "b.png", "b.JPG", "c.png", "d.png"):
        (path / name).write_bytes(world.png(8, 8) if name != "b.JPG" else world.jpeg())
    for name in ("a.xml", "b.xml", "d.xml"):
        (path / name).write_text(BOX)
    await shelf.read(dataset, path)
    deleting(shelf, dataset, "a.png", "b.png", "c.png")
    assert (await deleted(shelf))["gone"] == 3
    assert below(path) == ["b.JPG", "b.xml", "d.png", "d.xml"]  # two have the labels of b
    later(shelf)
    done = await shelf.synced(dataset)
    assert (done.counts.added, done.counts.refused) == (0, 0)


async def test_labels_beside_samples_stay_where_no_import_read_them_or_a_sample_is_made_of_them(shelf: Shelf) -> None:
    dataset, texts = shelf.dataset(), shelf.dataset(DatasetType.TEXT_CLASSIFICATION, "texts")
    path = shelf.root / "mixed"
    path.mkdir()
    for name in "abc":
        (path / f"{name}.png").write_bytes(world.png())
        (path / f"{name}.txt").write_text("cat")
    manifest = shelf.root / "all.manifest"
    manifest.write_text(json.dumps({"source": "mixed/a.png"}))
    await shelf.read(dataset, manifest, Way.MANIFEST)
    deleting(shelf, dataset, "a.png")
    await deleted(shelf)
    later(shelf)
    await shelf.read(dataset, path)
    bring(shelf, texts, path / "b.txt", b"cat", kind=SampleKind.TEXT, line=1, text="cat", digest=None, size=3)
    deleting(shelf, dataset, "b.png", "c.png")
    await deleted(shelf)
    assert below(path) == ["a.txt", "b.txt"]


async def test_only_what_lies_in_stores_of_one_s_own_may_be_deleted(shelf: Shelf) -> None:
    bob, root = shelf.here.user("bob"), shelf.root
    for name in ("mine", "bobs"):
        (root / name).mkdir()
        (root / name / f"{name}.png").write_bytes(world.png())
    dataset = shelf.dataset()
    await shelf.read(dataset, root)
    shelf.center_of(shelf.alice, root / "bobs", public=True)
    shelf.center_of(bob, root / "bobs")  # at one directory
    with pytest.raises(SourceNotYours) as refused:
        deleting(shelf, dataset, "mine.png", "bobs.png")
    assert refused.value.details == {"field": "delete_source", "name": "bobs.png"}
    assert len(shelf.all(dataset)) == 2
    deleting(shelf, dataset, "bobs.png", by=structs.replace(shelf.alice, role=Role.ADMIN))
    deleting_label(shelf, dataset, named=Named(LabelType.IMAGE_CLASSIFICATION, "mine"))
    await deleted(shelf)
    assert below(root) == []


async def test_a_store_of_one_s_own_within_another_s_gives_nobody_its_files(shelf: Shelf) -> None:
    bob, path = shelf.here.user("bob"), shelf.images("cat", of_each=1)  # the root is Alice's, and everybody sees it
    mine = shelf.center_of(bob, path)
    new = NewDataset(name="bobs", url=str(path), store=mine.uuid, type=DatasetType.IMAGE_CLASSIFICATION)
    dataset = shelf.store.write_now(datasets.create, bob, new)
    begun = NewImport(path=str(path), way=Way.DIRECTORY)
    async with shelf.working():
        one = shelf.store.write_now(transfers.begin_import, bob, dataset.uuid, new=begun)
        await shelf.ended(one, dataset)
    with pytest.raises(SourceNotYours):
        deleting(shelf, dataset, "0000.png", by=bob)
    with pytest.raises(SourceNotYours):
        deleting_label(shelf, dataset, by=bob)
    assert shelf.labels(dataset) == {"cat": (1, 1)}
    assert shelf.store.read_now(noted) == (0, 0)


async def test_what_was_brought_to_a_dataset_is_its_own_wherever_it_lies(shelf: Shelf) -> None:
    bob, root = shelf.here.user("bob"), shelf.root
    (root / "a.xml").write_text(BOX)
    mine = NewDataset(name="bobs", url=str(root), store=shelf.center.uuid, type=DatasetType.OBJECT_DETECTION)
    dataset = shelf.store.write_now(datasets.create, bob, mine)
    for name in ("a.png", "b.png"):
        bring(shelf, dataset, root / name, world.png(), by=bob)
    (root / "b.png").unlink()
    (root / "b.png").write_bytes(world.png(9, 9))  # somebody put another there, and it is imported
    async with shelf.working():
        new = NewImport(path=str(root), way=Way.DIRECTORY)
        one = shelf.store.write_now(transfers.begin_import, bob, dataset.uuid, new=new)
        await shelf.ended(one, dataset)
    with pytest.raises(SourceNotYours):
        deleting(shelf, dataset, "b.png", by=bob)
    deleting(shelf, dataset, "a.png", by=bob)
    assert (await deleted(shelf))["gone"] == 1
    assert below(root) == ["a.xml", "b.png"]  # the labels did not come over the API


async def test_a_store_that_is_made_meanwhile_keeps_its_files(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog", of_each=1)
    await shelf.read(dataset, path)
    deleting(shelf, dataset, "0000.png")
    shelf.center_of(shelf.here.user("bob"), path / "cat")
    assert await deleted(shelf) == {"gone": 1, "stayed": 1, "failed": 0, "files": []}
    assert below(path) == ["cat/0000.png"]


async def test_a_text_goes_with_its_last_line_if_it_was_brought(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(DatasetType.TEXT_CLASSIFICATION), shelf.root / "texts"
    path.mkdir()
    (path / "there.txt").write_text("one\ttwo\n")
    await shelf.read(dataset, path)
    with pytest.raises(SourceNoFile):
        deleting(shelf, dataset, "there.txt")
    brought = path / "brought.txt"
    for line, said in enumerate(("good", "bad"), start=1):
        more = {"kind": SampleKind.TEXT, "line": line, "text": said, "digest": None, "size": len(said)}
        bring(shelf, dataset, brought, b"good\nbad\n", **more)
    first, second = [row for row in shelf.all(dataset) if row.name == "brought.txt"]
    for row, numbers in ((first, (0, 1)), (second, (1, 0))):
        shelf.store.write_now(
            transfers.remove_with_files, shelf.alice, dataset.uuid, uuids=[row.uuid], field="delete_source"
        )
        done = await deleted(shelf)
        assert (done["gone"], done["stayed"]) == numbers
    assert below(path) == ["there.txt"]


async def test_texts_that_were_written_to_since_they_came_stay(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(DatasetType.TEXT_CLASSIFICATION), shelf.root / "a.txt"
    bring(shelf, dataset, path, b"good\n", kind=SampleKind.TEXT, line=1, text="good", digest=None, size=4)
    clock = shelf.here.clock
    assert isinstance(clock, ManualClock)
    written = (clock.now() + LATER).timestamp()
    os.utime(path, (written, written))
    deleting(shelf, dataset, "a.txt")
    assert (await deleted(shelf))["stayed"] == 1
    assert path.exists()


async def test_what_a_version_names_stays_until_that_is_deleted(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=3)
    await shelf.read(dataset, path)
    copied = await shelf.published(dataset, form=Form(copies=True))
    deleting(shelf, dataset, "0000.png")
    assert (await deleted(shelf))["gone"] == 1
    version = await shelf.published(dataset)
    later(shelf)
    bring(shelf, dataset, path / "new.png", world.png())
    with pytest.raises(SourcePublished):
        deleting(shelf, dataset, "0001.png", "new.png")
    deleting(shelf, dataset, "new.png")
    assert (await deleted(shelf))["gone"] == 1
    deleting_label(shelf, dataset)
    assert await deleted(shelf) == {"gone": 0, "stayed": 2, "failed": 0, "files": []}
    assert below(path) == ["cat/0001.png", "cat/0002.png"]
    later(shelf)
    await shelf.synced(dataset)
    for one in (version, copied):
        shelf.store.write_now(transfers.delete_version, shelf.alice, dataset.uuid, uuid=one.uuid)
    deleting(shelf, dataset, "0001.png", "0002.png")
    assert (await deleted(shelf))["gone"] == 2


async def test_a_label_goes_with_the_samples_that_have_no_other_and_their_files(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivium.resources.samples.leaving.AT_ONCE", 3)
    monkeypatch.setattr("trivium.resources.transfers.deletion_worker.MOST", 2)
    dataset, path = shelf.dataset(), shelf.images("cat", "dog", of_each=7)
    await shelf.read(dataset, path)
    dog = SampleLabel(name="dog", type=LabelType.IMAGE_CLASSIFICATION)
    both = next(row for row in shelf.all(dataset) if row.path.endswith(b"cat/0000.png"))
    said = Annotation(uuid=both.uuid, labels=(*both.labels, dog))
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=[said])
    uuid, field = dataset.uuid, "delete_policy"
    shelf.store.write_now(transfers.delete_label_with_files, shelf.alice, uuid, named=CAT, field=field)
    assert shelf.store.write_now(samples.settle, dataset.uuid)
    async with shelf.working():  # nothing is deleted before all samples are out
        while shelf.store.write_now(samples.settle, dataset.uuid):
            assert len(below(path)) == 14
        await shelf.deleted()
    assert told(shelf) == {"gone": 6, "stayed": 0, "failed": 0, "files": []}
    assert below(path) == ["cat/0000.png", *(f"dog/{number:04}.png" for number in range(7))]
    shelf.check(dataset)


async def test_a_dataset_that_is_deleted_amid_it_has_what_went_before_deleted(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivium.resources.samples.leaving.AT_ONCE", 3)
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=5)
    await shelf.read(dataset, path)
    uuid, field = dataset.uuid, "delete_policy"
    shelf.store.write_now(transfers.delete_label_with_files, shelf.alice, uuid, named=CAT, field=field)
    assert shelf.store.write_now(samples.settle, dataset.uuid)
    shelf.store.write_now(datasets.delete, shelf.alice, dataset.uuid, users=transfers.DATASET_USERS)
    while shelf.store.write_now(samples.purge):
        pass
    assert (await deleted(shelf))["gone"] == 3
    assert below(path) == ["cat/0003.png", "cat/0004.png"]


async def test_a_worker_that_ends_amid_it_is_gone_on_with(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.resources.transfers.deletion_worker.MOST", 3)
    monkeypatch.setattr(deletions, "FORGOTTEN", 4)
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=10)
    await shelf.read(dataset, path)
    deleting(shelf, dataset, *(f"{number:04}.png" for number in range(9)))
    ends = 0
    dying = Dying(shelf.remover)
    shelf.remover = dying
    while shelf.store.read_now(noted) != (0, 0):
        before, dying.is_to_die = shelf.store.read_now(standing), ends % 2 == 0
        async with shelf.working():

            async def further(before: Any = before) -> bool:
                return dying.has_died or shelf.store.read_now(standing) != before

            await until_async(further)
        if dying.has_died:  # its files are gone, and nobody noted that
            (path / "cat" / "0000.png").write_bytes(b"another")
            dying.has_died = False
        ends += 1
    assert ends > 1
    done = told(shelf)
    assert (done["gone"] + done["stayed"], done["failed"]) == (9, 0)
    assert below(path) == ["cat/0000.png", "cat/0009.png"]
    assert (path / "cat" / "0000.png").read_bytes() == b"another"


async def test_what_cannot_be_deleted_is_tried_again_and_then_named(shelf: Shelf) -> None:
    dataset, path, other = shelf.dataset(), shelf.images("cat", of_each=2), shelf.dataset(name="other")
    await shelf.read(dataset, path)
    await shelf.read(other, shelf.images("dog", of_each=2) / "dog")
    shelf.remover = failing = Failing(shelf.remover, b"cat/0000.png")
    deleting_label(shelf, dataset)
    later(shelf)
    async with shelf.working():
        for times in range(1, len(deletions.PAUSES) + 1):
            await until_async(lambda times=times: shelf.store.read(is_tried, times))
            if times == 1:
                deleting(shelf, other, "0000.png")
                await until_async(lambda: asyncio.to_thread(lambda: not (path / "dog" / "0000.png").exists()))
            later(shelf)
        await shelf.deleted()
    assert failing.asked == len(deletions.PAUSES) + 1
    named = {"gone": 1, "stayed": 0, "failed": 1, "files": [str(path / "cat" / "0000.png")]}
    found = shelf.store.read_now(events.latest, "dataset", target=dataset.id)
    assert [json.loads(one.after or "") for one in found if one.action == "dataset.files_deleted"] == [named]
    assert (path / "cat" / "0000.png").exists()


async def test_faults_of_ours_end_it(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=2)
    await shelf.read(dataset, path)
    deleting(shelf, dataset, "0000.png")
    id = shelf.store.read_now(lambda tx: tx.value(select(samples.deletions.c.id)))
    for _ in range(importing.MOST_FAULTS):
        shelf.store.write_now(deletions.count_fault, id)
    assert told(shelf) == {"gone": 0, "stayed": 0, "failed": 1, "files": [str(path / "cat" / "0000.png")]}
    assert (path / "cat" / "0000.png").exists()


@pytest.mark.parametrize("swapped", ["file", "directory", "pipe", "root"])
async def test_links_that_are_swapped_in_lead_nowhere(shelf: Shelf, swapped: str, tmp_path: Path) -> None:
    dataset, path, away = shelf.dataset(), shelf.images("cat", of_each=1), tmp_path / "away"
    await shelf.read(dataset, path)
    deleting(shelf, dataset, "0000.png")
    image = path / "cat" / "0000.png"
    if swapped == "directory":
        (path / "cat").rename(away)
        (path / "cat").symlink_to(away)
    elif swapped == "root":
        (path / "cat").rename(shelf.root / "elsewhere")
        (path / "cat").symlink_to("../elsewhere")
    else:
        image.rename(away)
        os.mkfifo(image) if swapped == "pipe" else image.symlink_to(away)
    assert await deleted(shelf) == {"gone": 0, "stayed": 1, "failed": 0, "files": []}
    assert image.resolve().exists()


def test_the_remover_keeps_what_lies_outside_or_is_written_oddly(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    for path in (root / "a.png", tmp_path / "b.png", root / "deep" / "c.png"):
        path.write_bytes(b"x")
    (root / "linked.png").symlink_to("a.png")
    raw, digest = bytes(root), blake3(b"x").digest()
    odd = [b"%s/./a.png" % raw, b"%s/../b.png" % raw, bytes(tmp_path / "b.png"), b"%s//a.png" % raw, b"%s/deep" % raw]
    odd += [b"a.png", raw, b"", b"%s/linked.png" % raw, b"%s/deep/.." % raw]
    remover = FileRemover([root], hasher=blake3)
    asked = [Removal(path=one, size=1, digest=digest, came_at=datetime.now(UTC)) for one in odd]
    assert {*remover.remove(asked, goes_on=lambda: True)} == {Fate.BARRED}
    assert [barred([root], [one]) for one in odd] == odd
    there = [b"%s/a.png" % raw, b"%s/absent.png" % raw, b"%s/absent/a.png" % raw, b"%s/a.png/b.png" % raw]
    assert barred([root], there) is None
    asked = [Removal(path=one, size=1, digest=digest, came_at=datetime.now(UTC)) for one in there]
    assert remover.remove(asked, goes_on=lambda: False) == []
    assert remover.remove(asked, goes_on=lambda: True) == [Fate.GONE] * 4
    assert below(tmp_path) == ["b.png", "root/deep/c.png", "root/linked.png"]
    away = FileRemover([tmp_path / "not mounted"], hasher=blake3)
    lost = Removal(path=bytes(tmp_path / "not mounted" / "a.png"), size=1, digest=digest, came_at=datetime.now(UTC))
    assert away.remove([lost], goes_on=lambda: True) == [Fate.FAILED]


@pytest.mark.parametrize(
    ("directory", "is_covered"),
    [(b"/a", True), (b"/a/x", True), (b"/a/b", False), (b"/a/b/c", False), (b"/b", False), (b"/", False)],
)
def test_every_store_around_a_file_must_be_one_s_own(directory: bytes, *, is_covered: bool) -> None:
    assert Hold(stores={b"/a": True, b"/a/b": False, b"/a/b/c": True}).covers(directory) is is_covered
    assert not Hold(stores={b"/": False, b"/a": True}).covers(directory)
    assert Hold(stores={b"/": True}).covers(directory)
    assert Hold().covers(directory)


class Dying:
    """What deletes files, and does not come back while it is to die."""

    def __init__(self, remover: Remover) -> None:
        self._remover = remover
        self.is_to_die = self.has_died = False

    def remove(self, wanted: Sequence[Removal], *, goes_on: Callable[[], bool]) -> Sequence[Fate]:
        fates = self._remover.remove(wanted, goes_on=goes_on)
        if self.is_to_die:
            self.has_died, self.is_to_die = True, False
            until(lambda: not goes_on(), what="the end of the worker")
        return fates


class Failing:
    """What deletes files, but for one."""

    def __init__(self, remover: Remover, name: bytes) -> None:
        self._remover, self._name, self.asked = remover, name, 0

    def remove(self, wanted: Sequence[Removal], *, goes_on: Callable[[], bool]) -> Sequence[Fate]:
        failed = [one.path.endswith(self._name) for one in wanted]
        self.asked += any(failed)
        fates = self._remover.remove(
            [one for one, fails in zip(wanted, failed, strict=True) if not fails], goes_on=goes_on
        )
        rest = iter(fates)
        return [Fate.FAILED if fails else next(rest) for fails in failed]


def noted(tx: Read) -> tuple[int, int]:
    """How many deletions and files are noted."""
    found = (tx.value(select(func.count()).select_from(table)) for table in (samples.deletions, samples.deleted))
    return int(next(found)), int(next(found))


def standing(tx: Read) -> Any:
    """How far the first deletion is, and how much is noted."""
    row = tx.first(select(samples.deletions))
    return (None if row is None else tuple(row)), noted(tx)


def is_finished(tx: Read) -> bool:
    return tx.first(select(samples.deletions).where(samples.deletions.c.finished_at.is_not(None))) is not None


def is_somebody_waiting(tx: Read) -> bool:
    """Whether a transaction waits for another's lock."""
    return bool(tx.value(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def is_tried(tx: Read, times: int) -> bool:
    """Whether all files of the oldest deletion were tried so often."""
    row = tx.first(select(samples.deletions).order_by(samples.deletions.c.id))
    return row is not None and row.round == times


def test_samples_are_found_by_their_files_along_an_index(shelf: Shelf) -> None:
    def look(tx: Write) -> list[str]:
        how = "EXPLAIN QUERY PLAN" if tx.flavour is Flavour.SQLITE else "EXPLAIN"
        if tx.flavour is Flavour.POSTGRESQL:
            tx.run(text("SET LOCAL enable_seqscan = off"))  # there are no rows: a scan would be as good
        sent: list[tuple[str, Any]] = []
        event.listen(
            tx.connection,
            "before_cursor_execute",
            lambda _connection, _cursor, sql, values, *_: sent.append((sql, values)),
        )
        samples.named(tx, [b"/a", b"/b"])
        ((sql, values),) = sent
        return [str(row[-1]) for row in tx.connection.exec_driver_sql(f"{how} {sql}", values)]

    assert any("ix_samples_path" in line for line in shelf.store.write_now(look))
