"""Samples are exported, and versions published; what is written is read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from blake3 import blake3

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.sources import Shelf
from tests.waiting import until_async
from trivium.base.clock import ManualClock
from trivium.base.query import Offset, Order, Query
from trivium.drivers.exports import ExportWriter
from trivium.resources import datasets, samples, stores, transfers
from trivium.resources.datasets import Dataset, DatasetPublishing, DatasetType, NewDataset
from trivium.resources.datasets.ports import LabelType, SampleUsage
from trivium.resources.models import NOWHERE
from trivium.resources.samples import Annotation, Named, NewLabel, NoSuchSample, SampleState, Sought
from trivium.resources.stores import NewModelStore
from trivium.resources.transfers import (
    Chosen,
    Form,
    Into,
    NewVersion,
    NoSuchVersion,
    NotExportable,
    SinceBefore,
    TransferStatus,
    VersionExists,
    VersionStatus,
    Way,
    publishing,
)
from trivium.store.errors import StoreUnavailable

VOC = """<annotation><size><width>64</width><height>48</height><depth>3</depth></size>
<object><name>cat &amp; dog</name><difficult>1</difficult>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox></object>
<object><name>pond</name><confidence>0.5</confidence>
<polygon><x1>1</x1><y1>1</y1><x2>9</x2><y2>1</y2><x3>5</x3><y3>9</y3></polygon></object>
<object><name>eye</name><circle><cx>9</cx><cy>9</cy><r>2</r></circle></object></annotation>"""


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


def boxes(shelf: Shelf, number: int = 4) -> Path:
    path = shelf.root / "boxes"
    (path / "deep").mkdir(parents=True)
    for each in range(number):
        folder = path / "deep" if each % 2 else path
        (folder / f"{each:03}.png").write_bytes(world.png(64, 48))
        if each:
            (folder / f"{each:03}.xml").write_text(VOC)
    return path


def said(shelf: Shelf, dataset: Dataset) -> list[tuple[object, ...]]:
    """What is known of samples, wherever they are."""
    rows = shelf.all(dataset)
    return sorted((row.size, row.state, row.usage, row.labels, json.dumps(row.metadata)) for row in rows)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_what_is_exported_as_a_manifest_is_imported_again_as_it_was(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(DatasetType.OBJECT_DETECTION), shelf.dataset(DatasetType.OBJECT_DETECTION, "other")
    await shelf.read(dataset, boxes(shelf))
    done = await shelf.written(dataset, "out")
    assert (done.status, done.total, done.written, done.refused) == (TransferStatus.DONE, 4, 4, 0)
    assert [path.name for path in (shelf.root / "out").glob("[!.]*")] == ["all.manifest"]
    again = await shelf.read(other, shelf.root / "out" / "all.manifest", Way.MANIFEST)
    assert (again.counts.imported, again.counts.refused) == (4, 0)
    assert [(row.path, row.labels, row.state) for row in shelf.all(other)] == [
        (row.path, row.labels, row.state) for row in shelf.all(dataset)
    ]


@pytest.mark.parametrize("flat", [False, True])
async def test_files_are_copied_with_their_shapes_beside_them(shelf: Shelf, flat: bool) -> None:
    dataset, other = shelf.dataset(DatasetType.OBJECT_DETECTION), shelf.dataset(DatasetType.OBJECT_DETECTION, "other")
    path = boxes(shelf)
    await shelf.read(dataset, path)
    form = Form(copies=True, flat=flat, beside=True, base=bytes(path))
    assert (await shelf.written(dataset, "a/new/out", form=form)).written == 4
    out = shelf.root / "a/new/out"
    names = sorted(str(found.relative_to(out / "data")) for found in (out / "data").rglob("*.png"))
    assert len(names) == 4
    assert names == (["000.png", "002.png", "deep/001.png", "deep/003.png"] if not flat else names)
    assert {found.suffix for found in (out / "data").rglob("*.*")} == {".png", ".xml"}  # one has no labels
    again = await shelf.read(other, out / "data")
    assert (again.counts.imported, again.counts.refused) == (4, 0)
    assert said(shelf, other) == said(shelf, dataset)
    assert {line["source"] for line in lines(out / "all.manifest")} == {f"data/{name}" for name in names}


async def test_names_of_labels_are_written_beside_copies(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(), shelf.dataset(name="other")
    path = shelf.images("cat", "dog", of_each=2)
    await shelf.read(dataset, path)
    await shelf.written(dataset, "out", form=Form(copies=True, beside=True, base=bytes(path)))
    await shelf.read(other, shelf.root / "out" / "data")
    assert shelf.labels(other) == {"cat": (2, 2), "dog": (2, 2)}


@pytest.mark.parametrize(("chosen", "number"), [(Chosen.ALL, 4), (Chosen.LABELLED, 3), (Chosen.BARE, 1)])
async def test_samples_are_chosen_by_their_labels(shelf: Shelf, chosen: Chosen, number: int) -> None:
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    await shelf.read(dataset, boxes(shelf))
    done = await shelf.written(dataset, "out", chosen=chosen)
    assert (done.total, done.written, len(lines(shelf.root / "out/all.manifest"))) == (number, number, number)


async def test_labels_that_wait_to_be_confirmed_are_not_exported(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=1), confirmed=False)
    await shelf.written(dataset, "out", form=Form(copies=True, beside=True))
    assert [line["annotation"] for line in lines(shelf.root / "out/all.manifest")] == [[]]
    (beside,) = (shelf.root / "out/data").glob("*.txt")
    assert beside.read_text() == ""


@pytest.mark.parametrize("type", [DatasetType.FREE, DatasetType.TEXT_CLASSIFICATION])
async def test_what_is_put_beside_copies_overwrites_none(shelf: Shelf, type: DatasetType) -> None:
    path = shelf.root / "notes"
    path.mkdir()
    (path / "a.txt").write_text("what was written")
    label = {"type": "modelarts/text_classification", "name": "good"}
    (path / "all.manifest").write_text(json.dumps({"source": "a.txt", "annotation": [label]}))
    dataset = shelf.dataset(type)
    await shelf.read(dataset, path / "all.manifest", Way.MANIFEST)
    await shelf.written(dataset, "out", form=Form(copies=True, beside=True, base=bytes(path)))
    assert [one.name for one in (shelf.root / "out/data").iterdir()] == ["a.txt"]
    assert (shelf.root / "out/data/a.txt").read_text() == "what was written"


async def test_a_link_inside_the_roots_is_copied_as_it_was_imported(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=1)
    (path / "cat" / "link.png").symlink_to("0000.png")
    await shelf.read(dataset, path)
    done = await shelf.written(dataset, "out", form=Form(copies=True, base=bytes(path)))
    assert (done.written, done.refused) == (2, 0)
    copied = shelf.root / "out/data/cat"
    assert (copied / "link.png").read_bytes() == (copied / "0000.png").read_bytes()
    assert not (copied / "link.png").is_symlink()


async def test_files_outside_of_where_exports_go_are_copied(shelf: Shelf, tmp_path: Path) -> None:
    elsewhere, form = tmp_path / "targets", Form(copies=True)
    elsewhere.mkdir()
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=1))
    (sample,) = shelf.all(dataset)
    writer = ExportWriter([elsewhere], hasher=blake3, sources=[shelf.root])
    with closing(writer.open(elsewhere / "out", owner=sample.uuid, manifest="m", position=0, form=form)) as out:
        out.put(sample)
    assert len([*(elsewhere / "out/data").iterdir()]) == 1


async def test_a_file_that_is_gone_is_counted_and_the_rest_is_written(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", of_each=3)
    await shelf.read(dataset, path)
    (path / "cat" / "0001.png").unlink()
    (path / "cat" / "0002.png").unlink()
    (path / "cat" / "0002.png").symlink_to("/etc/passwd")
    done = await shelf.written(dataset, "out", form=Form(copies=True))
    assert (done.status, done.written, done.refused) == (TransferStatus.DONE, 1, 2)


def _not_empty(path: Path) -> None:
    path.mkdir()
    (path / "mine").touch()


def _link(path: Path) -> None:
    path.with_name("elsewhere").mkdir()
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(("make", "reason"), [(_not_empty, "not_empty"), (_link, "link"), (Path.touch, "link")])
async def test_nothing_is_written_over_or_through_what_is_there(
    shelf: Shelf, make: Callable[[Path], None], reason: str
) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=1))
    make(shelf.root / "out")
    done = await shelf.written(dataset, "out")
    assert done.status is TransferStatus.FAILED
    assert done.reason is not None
    assert done.reason.code == f"transfer.target.{reason}"


async def test_an_export_that_ends_amid_its_way_is_gone_on_with(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.resources.transfers.export_worker.MOST", 3)
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=40))
    one = shelf.begin_export(dataset, "out", form=Form(copies=True))
    ends = 0
    while (before := shelf.store.read_now(transfers.get_export, dataset, one.uuid)).finished_at is None:
        async with shelf.working():
            await until_further(shelf, dataset, before)
        ends += 1
    assert ends > 1
    assert (before.written, before.refused) == (40, 0)
    told = [line["id"] for line in lines(shelf.root / "out/all.manifest")]
    assert told == [row.uuid.hex for row in shelf.all(dataset)]


async def test_an_export_that_was_written_and_not_noted_is_finished_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=4))
    one = shelf.begin_export(dataset, "out", form=Form(copies=True))
    manifest = shelf.root / "out/all.manifest"

    async def written() -> bool:
        return manifest.exists()

    async def noted() -> bool:
        return shelf.store.read_now(transfers.get_export, dataset, one.uuid).finished_at is not None

    async def released() -> bool:
        return sorted(path.name for path in manifest.parent.iterdir()) == ["all.manifest", "data"]

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "end_export", away)
        async with shelf.working():
            await until_async(written)
    whole = manifest.read_bytes()
    async with shelf.working():
        await until_async(noted)
        await until_async(released)
    done = shelf.store.read_now(transfers.get_export, dataset, one.uuid)
    assert (done.status, done.written, done.reason) == (TransferStatus.DONE, 4, None)
    assert manifest.read_bytes() == whole


def away(*_arguments: object, **_named: object) -> None:
    raise StoreUnavailable("the database is away")


async def until_further(shelf: Shelf, dataset: Dataset, before: transfers.SampleExport) -> None:
    async def further() -> bool:
        now = shelf.store.read_now(transfers.get_export, dataset, before.uuid)
        return now.written > before.written or now.finished_at is not None

    await until_async(further)


def test_tables_are_not_exported(shelf: Shelf) -> None:
    with pytest.raises(NotExportable):
        shelf.begin_export(shelf.dataset(DatasetType.TABLE), "out")


async def test_a_version_is_what_the_dataset_was(shelf: Shelf) -> None:
    dataset, path = shelf.dataset(), shelf.images("cat", "dog", of_each=2)
    await shelf.read(dataset, path)
    first = await shelf.published(dataset)
    assert (first.name, first.status, first.previous, first.counts.total) == ("V001", VersionStatus.READY, None, 4)
    assert shelf.now(dataset).current_version == first.id
    assert len(lines(Path(first.manifest))) == 4
    cat = Named(LabelType.IMAGE_CLASSIFICATION, "cat")
    shelf.store.write_now(samples.change_label, shelf.alice, dataset.uuid, named=cat, name="lion")
    (path / "dog" / "more.png").write_bytes(world.png(9, 9))
    await shelf.read(dataset, path)
    second = await shelf.published(dataset)
    assert (second.name, second.previous, second.counts.total) == ("V002", first.id, 5)
    told = [
        [(one.name, one.samples) for one in shelf.store.read_now(transfers.labels_of_version, version)]
        for version in (first, second)
    ]
    assert told == [[("cat", 2), ("dog", 2)], [("lion", 2), ("dog", 3)]]
    found = shelf.store.read_now(
        transfers.list_versions, dataset, Query(order=(Order(field="id"),), page=Offset(limit=9))
    )
    assert ([one.name for one in found.rows], found.total) == (["V001", "V002"], 2)


async def test_while_a_version_is_written_nobody_changes_samples_and_labels(shelf: Shelf) -> None:
    dataset, alice, store = shelf.dataset(), shelf.alice, shelf.store
    await shelf.read(dataset, shelf.images("cat", of_each=1))
    new = NewVersion(path=str(shelf.root / "work"))
    made = store.write_now(transfers.publish, alice, dataset.uuid, new=new)
    (sample,) = shelf.all(dataset)
    with pytest.raises(DatasetPublishing):
        store.write_now(samples.remove, alice, dataset.uuid, uuids=[sample.uuid])
    label = NewLabel(name="x", type=LabelType.IMAGE_CLASSIFICATION)
    with pytest.raises(DatasetPublishing):
        store.write_now(samples.create_labels, alice, dataset.uuid, new=[label])
    with pytest.raises(DatasetPublishing):
        shelf.begin(dataset, shelf.root)
    with pytest.raises(DatasetPublishing):
        store.write_now(transfers.publish, alice, dataset.uuid, new=new)
    with pytest.raises(DatasetPublishing):
        store.write_now(transfers.delete_version, alice, dataset.uuid, uuid=made.uuid)
    store.write_now(datasets.delete, alice, dataset.uuid, users=transfers.DATASET_USERS)


async def test_a_version_that_cannot_be_written_fails_and_the_dataset_goes_on(shelf: Shelf) -> None:
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=1))
    (shelf.root / "work" / "V001").mkdir(parents=True)
    (shelf.root / "work" / "V001" / "mine").touch()
    failed = await shelf.published(dataset)
    assert (failed.status, shelf.now(dataset).current_version) == (VersionStatus.FAILED, None)
    assert failed.reason is not None
    assert not shelf.now(dataset).publishing
    assert (await shelf.published(dataset)).name == "V002"


async def test_versions_are_named_once_chosen_and_forgotten(shelf: Shelf) -> None:
    dataset, alice, store = shelf.dataset(), shelf.alice, shelf.store
    await shelf.read(dataset, shelf.images("cat", of_each=1))
    one, two = await shelf.published(dataset, name="one"), await shelf.published(dataset, name="two")
    with pytest.raises(VersionExists):
        store.write_now(transfers.publish, alice, dataset.uuid, new=NewVersion(name="one", path=str(shelf.root)))
    store.write_now(transfers.make_current, alice, dataset.uuid, uuid=one.uuid)
    assert shelf.now(dataset).current_version == one.id
    store.write_now(transfers.make_current, alice, dataset.uuid, uuid=two.uuid)
    store.write_now(transfers.delete_version, alice, dataset.uuid, uuid=two.uuid)
    assert shelf.now(dataset).current_version == one.id
    with pytest.raises(NoSuchVersion):
        store.read_now(transfers.get_version, dataset, two.uuid)
    assert [row.state for row in shelf.all(dataset)] == [SampleState.ANNOTATED]


async def test_samples_are_chosen_by_what_is_sought(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    await shelf.read(dataset, boxes(shelf))
    every = shelf.all(dataset)
    cases = {
        "one or the other": {"sought": (Sought(name="001.png"), Sought(hard=False))},
        "within": {"sought": (Sought(),), "within": Sought(states=(0,))},
        "none": {"sought": (Sought(name="none"),)},
        "named": {"sought": (Sought(hard=True),), "uuids": tuple(one.uuid for one in every[:2])},
    }
    told = {}
    for number, asked in enumerate(cases.values()):
        done = await shelf.written(dataset, f"out{number}", chosen=Chosen.SOUGHT, **asked)
        assert (done.status, done.total, done.refused) == (TransferStatus.DONE, done.written, 0)
        told[number] = sorted(line["source"][-7:] for line in lines(shelf.root / f"out{number}/all.manifest"))
        assert done.written == len(told[number])
    bare = [row.name for row in every if row.state is SampleState.BARE]
    named = [row.name for row in every[:2] if row.hard]
    assert [*told.values()] == [sorted(["001.png", *bare]), bare, [], named]
    with pytest.raises(NoSuchSample):
        shelf.begin_export(dataset, "out", uuids=(every[0].uuid, dataset.uuid))
    with pytest.raises(NotExportable):
        shelf.begin_export(dataset, "out", uuids=tuple(uuid4() for _ in range(1001)))


async def test_what_is_hard_and_what_samples_are_for_is_said_otherwise_where_it_is_asked(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(DatasetType.OBJECT_DETECTION), shelf.dataset(DatasetType.OBJECT_DETECTION, "other")
    path = boxes(shelf, 40)
    await shelf.read(dataset, path)
    assert sum(row.hard for row in shelf.all(dataset)) == 39
    form = Form(copies=True, beside=True, base=bytes(path), keeps_hard=False, train=0.5)
    await shelf.written(dataset, "out", form=form)
    usages = [line["usage"] for line in lines(shelf.root / "out/all.manifest")]
    assert {"TRAIN", "EVAL"} == {*usages}
    assert 8 < usages.count("TRAIN") < 32
    for way in (shelf.root / "out" / "data", shelf.root / "out" / "all.manifest"):
        await shelf.read(other, way, Way.MANIFEST if way.suffix else Way.DIRECTORY)
        assert {row.hard for row in shelf.all(other)} == {False}
    await shelf.written(dataset, "again", form=Form(keeps_hard=False, train=0.5))
    assert [line["usage"] for line in lines(shelf.root / "again/all.manifest")] == usages
    await shelf.read(other, shelf.root / "again/all.manifest", Way.MANIFEST)
    await shelf.written(other, "bare", form=Form(keeps_usage=False))
    assert all("usage" not in line for line in lines(shelf.root / "bare/all.manifest"))


async def test_a_version_says_what_is_otherwise_in_it_than_in_the_one_before(shelf: Shelf) -> None:
    dataset, clock = shelf.dataset(), shelf.here.clock
    assert isinstance(clock, ManualClock)
    path = shelf.images("cat", of_each=5)
    await shelf.read(dataset, path)
    first = await shelf.published(dataset)
    assert first.since == SinceBefore(added=5)
    clock.move(timedelta(minutes=1))
    kept, changed, gone = shelf.all(dataset)[:3]
    (path / "cat" / "new.png").write_bytes(world.png(99, 9))
    await shelf.read(dataset, path)
    said = [Annotation(uuid=changed.uuid, usage=SampleUsage.EVAL)]
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=said)
    shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=[gone.uuid])
    assert (await shelf.published(dataset)).since == SinceBefore(added=1, modified=1, deleted=1)
    clock.move(timedelta(minutes=1))
    assert (await shelf.published(dataset)).since == SinceBefore()
    assert kept in shelf.all(dataset)


async def test_shapes_are_written_in_the_one_file_of_coco(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    path = boxes(shelf)
    circle = "<object><name>eye</name><circle><cx>9</cx><cy>9</cy><r>2</r></circle></object>"
    for each in ("deep/001", "002"):
        (path / f"{each}.xml").write_text(VOC.replace(circle, ""))
    await shelf.read(dataset, path)
    done = await shelf.written(dataset, "out", form=Form(copies=True, coco=True, base=bytes(path)))
    assert (done.status, done.total, done.written, done.refused) == (TransferStatus.DONE, 4, 3, 1)  # one has a circle
    out = shelf.root / "out"
    assert sorted(str(one.relative_to(out)) for one in out.rglob("[!.]*") if one.is_file()) == [
        "all.manifest",
        "annotations/instances.json",
        *("data/000.png", "data/002.png", "data/deep/001.png"),
    ]
    said = json.loads((out / "annotations/instances.json").read_text())
    assert [one["name"] for one in said["categories"]] == ["cat & dog", "pond"]
    names = {one["id"]: one["file_name"] for one in said["images"]}
    assert sorted(names.values()) == ["000.png", "002.png", "deep/001.png"]
    assert {(one["width"], one["height"]) for one in said["images"]} == {(64, 48)}
    assert [one["id"] for one in said["annotations"]] == [1, 2, 3, 4]
    box, polygon = (one for one in said["annotations"] if names[one["image_id"]] == "002.png")
    assert (box["bbox"], box["area"], box["segmentation"], box["iscrowd"]) == ([1, 2, 29.5, 38], 29.5 * 38, [], 0)
    assert (polygon["bbox"], polygon["area"]) == ([1, 1, 8, 8], 32)
    assert (polygon["segmentation"], polygon["category_id"]) == ([[1, 1, 9, 1, 5, 9]], 2)


async def test_of_nothing_coco_says_nothing(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    await shelf.written(dataset, "out", form=Form(copies=True, coco=True))
    said = json.loads((shelf.root / "out/annotations/instances.json").read_text())
    assert said == {"info": {}, "images": [], "annotations": [], "categories": []}


def into(shelf: Shelf, name: str) -> Into:
    new = NewDataset(name=name, url="obs://out/", store=NOWHERE, type=DatasetType.OBJECT_DETECTION)
    return Into(caller=shelf.alice, new=new, settings={"import_path": "obs://out/"})


async def test_a_dataset_is_made_of_an_export(shelf: Shelf) -> None:
    root = str(shelf.root)
    store = NewModelStore(name="here", url=root)
    shelf.store.write_now(stores.create, shelf.alice, store, roots=(root,), reachable=True)
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    path = boxes(shelf)
    await shelf.read(dataset, path)
    red = NewLabel(name="unused", type=LabelType.OBJECT_DETECTION, property={"@modelarts:color": "#ff0000"})
    shelf.store.write_now(samples.create_labels, shelf.alice, dataset.uuid, new=[red])
    form = Form(copies=True, base=bytes(path))
    done = await shelf.written(dataset, "out", form=form, chosen=Chosen.LABELLED, into=into(shelf, "new"))
    assert done.status is TransferStatus.DONE
    asked = Query(order=(Order(field="id", descending=True),), page=Offset(limit=1))
    (made,) = shelf.store.read_now(datasets.list_own, shelf.alice, asked).rows
    assert (made.name, made.type, made.owner) == ("new", DatasetType.OBJECT_DETECTION, shelf.alice.user)
    (reading,) = shelf.store.read_now(transfers.list_imports, made, Query()).rows
    async with shelf.working():
        read = await shelf.ended(reading, made)
    assert (read.status, read.counts.imported, read.counts.refused) == (TransferStatus.DONE, 3, 0)
    assert {row.path.removeprefix(bytes(shelf.root)) for row in shelf.all(made)} == {
        *(b"/out/data/002.png", b"/out/data/deep/001.png", b"/out/data/deep/003.png")
    }
    before = {row.name: row.labels for row in shelf.all(dataset)}
    assert all(row.labels == before[row.name] for row in shelf.all(made))
    listed = shelf.store.read_now(samples.list_labels, made, Query(order=(Order(field="id"),)))
    assert {label.name: label.property for label in listed.rows} == {
        **{name: {} for name in ("cat & dog", "pond", "eye")},
        red.name: red.property,
    }


async def test_an_export_fails_whose_dataset_cannot_be_made(shelf: Shelf) -> None:
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION, "taken")
    await shelf.read(dataset, boxes(shelf))
    done = await shelf.written(dataset, "out", into=into(shelf, "taken"))
    assert (done.status, done.reason and done.reason.code) == (TransferStatus.FAILED, "dataset.exists")
    assert shelf.store.read_now(datasets.list_own, shelf.alice, Query()).total == 1
