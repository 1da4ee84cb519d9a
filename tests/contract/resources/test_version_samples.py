"""The samples of a version stay what they were, whatever becomes of the dataset."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from blake3 import blake3
from msgspec import structs

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.contract.resources.test_exports import lines
from tests.contract.resources.test_seeking import filled, sought
from tests.sources import Shelf
from tests.waiting import until_async
from trivium.base.query import Listed, Offset
from trivium.drivers.exports import ExportWriter
from trivium.drivers.exports.writer import ExportInProgress
from trivium.resources import samples, transfers
from trivium.resources.datasets import DatasetType
from trivium.resources.datasets.ports import SampleUsage
from trivium.resources.samples import Annotation, KeptSample, Sought
from trivium.resources.transfers import (
    Chosen,
    Form,
    KeptAt,
    TransferStatus,
    Version,
    VersionUnreadable,
    Way,
)
from trivium.store import TooSlow

SOON: Final = timedelta(seconds=60)


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    root.mkdir()
    return Shelf(here, root)


class Reader:
    """Reads versions, as the servers on one host do."""

    def __init__(self, shelf: Shelf) -> None:
        self.sinks = ExportWriter([shelf.root], hasher=blake3)

    def page(self, version: Version, limit: int = 1000, offset: int = 0, **asked: Any) -> Listed[KeptSample]:
        asked = {"within": SOON, **asked}
        return transfers.samples_of_version(self.sinks, version, Offset(limit=limit, offset=offset), **asked)


def manifest_of(version: Version) -> Path:
    return Path(version.manifest)


def known(rows: Sequence[KeptSample]) -> list[KeptSample]:
    """All that a manifest knows of samples."""
    return [structs.replace(row, id=0, digest=None) for row in rows]


async def test_a_version_has_the_samples_that_there_were(shelf: Shelf) -> None:
    dice = random.Random(3)
    dataset, read = filled(shelf, dice), Reader(shelf)
    every = list(shelf.all(dataset))
    version = await shelf.published(dataset)
    taken, other = every[0].uuid, every[1].uuid
    shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=[taken])
    said = Annotation(uuid=other, labels=(), usage=SampleUsage.EVAL)
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=[said])
    found = read.page(version)
    assert known(found.rows) == known(every)
    assert found.total == len(every)
    for limit, offset in ((7, 0), (7, 7), (1, len(every) - 1), (9, len(every) - 3), (5, len(every)), (5, 1 << 62)):
        for order in (every, every[::-1]):
            some = read.page(version, limit, offset, descending=order is not every)
            assert (known(some.rows), some.total) == (known(order[offset : offset + limit]), len(every))
    for _ in range(200):
        wanted = [sought(dice, tuple(every), shelf.root) for _ in range(dice.choice((1, 2)))]
        fitting = [row for row in every if all(samples.fits(one, row) for one in wanted)]
        some = read.page(version, 4, 1, sought=wanted, descending=True)
        assert (known(some.rows), some.total) == (known(fitting[::-1][1:5]), len(fitting))


async def test_texts_and_copies_are_shown_where_they_were(shelf: Shelf) -> None:
    texts = shelf.root / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("one\tcat\ntwo\tdog\nthree\n")
    told = shelf.dataset(DatasetType.TEXT_CLASSIFICATION, "texts")
    await shelf.read(told, texts)
    pictures = shelf.dataset(name="pictures")
    await shelf.read(pictures, shelf.images("cat", of_each=2))
    for dataset in (told, pictures):
        before = shelf.all(dataset)
        version = await shelf.published(dataset, form=Form(copies=True, base=bytes(shelf.root)))
        assert known(Reader(shelf).page(version).rows) == known(before)
        shutil.rmtree(manifest_of(version).parent)


async def test_what_a_manifest_says_besides_is_nothing_to_who_imports_it(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(), shelf.dataset(name="other")
    await shelf.read(dataset, shelf.images("cat", "dog", of_each=2))
    version = await shelf.published(dataset)
    assert "@trivium:sample" in manifest_of(version).read_text()
    await shelf.read(other, manifest_of(version), Way.MANIFEST)
    assert [(row.path, row.metadata, row.labels) for row in shelf.all(other)] == [
        (row.path, row.metadata, row.labels) for row in shelf.all(dataset)
    ]


async def test_lines_of_texts_are_imported_again_as_texts(shelf: Shelf) -> None:
    (shelf.root / "a.txt").write_text("one\tcat\ntwo\tdog\n")
    dataset = shelf.dataset(DatasetType.TEXT_CLASSIFICATION)
    other = shelf.dataset(DatasetType.TEXT_CLASSIFICATION, "other")
    await shelf.read(dataset, shelf.root)
    await shelf.written(dataset, "out", form=Form(copies=True))
    await shelf.read(other, shelf.root / "out" / "all.manifest", Way.MANIFEST)
    assert [(row.text, [label.name for label in row.labels]) for row in shelf.all(other)] == [
        ("one", ["cat"]),
        ("two", ["dog"]),
    ]


async def test_a_manifest_that_is_gone_or_changed_is_told(shelf: Shelf) -> None:
    dataset, read = shelf.dataset(), Reader(shelf)
    await shelf.read(dataset, shelf.images("cat", of_each=3))
    version = await shelf.published(dataset)
    path = manifest_of(version)
    whole = path.read_bytes()
    assert len(read.page(version).rows) == 3
    for changed in (whole[:-1], whole.replace(b"cat", b"dog"), b"", whole + b"\n"):
        path.write_bytes(changed)
        with pytest.raises(VersionUnreadable):
            read.page(version)
    path.write_bytes(whole)
    assert len(read.page(version).rows) == 3
    path.rename(path.with_suffix(".elsewhere"))
    with pytest.raises(VersionUnreadable):
        read.page(version)
    path.symlink_to("/etc/passwd")
    with pytest.raises(VersionUnreadable):
        read.page(version)
    outside = structs.replace(version, manifest="/etc/passwd")
    with pytest.raises(VersionUnreadable):
        read.page(outside)


async def test_pages_of_long_manifests_are_found_by_where_their_lines_begin(shelf: Shelf) -> None:
    dataset, read = shelf.dataset(), Reader(shelf)
    (shelf.root / "many").mkdir()
    for number in range(30):
        (shelf.root / "many" / f"{number:02}.png").write_bytes(world.png(8, 8))
    await shelf.read(dataset, shelf.root / "many")
    large = [Annotation(uuid=row.uuid, labels=(), metadata={"a": "x" * 150_000}) for row in shelf.all(dataset)]
    shelf.store.write_now(samples.annotate, shelf.alice, dataset.uuid, said=large)
    every = shelf.all(dataset)
    version = await shelf.published(dataset)
    assert manifest_of(version).stat().st_size > 4 << 20
    for offset in range(31):
        for order in (every, every[::-1]):
            some = read.page(version, 3, offset, descending=order is not every)
            assert known(some.rows) == known(order[offset : offset + 3])
    with pytest.raises(TooSlow):
        read.page(version, sought=[Sought(hard=True)], within=timedelta(0))


async def test_an_older_version_is_exported_as_it_was(shelf: Shelf) -> None:
    dataset, other = shelf.dataset(), shelf.dataset(name="other")
    await shelf.read(dataset, shelf.images("cat", "dog", of_each=3))
    before = shelf.all(dataset)
    version = await shelf.published(dataset)
    assert version.digest is not None
    gone = [row.uuid for row in before[:2]]
    shelf.store.write_now(samples.remove, shelf.alice, dataset.uuid, uuids=gone)
    source = KeptAt(path=version.manifest, digest=version.digest, total=version.counts.total)
    done = await shelf.written(dataset, "out", source=source, form=Form(copies=True))
    assert (done.status, done.total, done.written, done.refused) == (TransferStatus.DONE, 6, 6, 0)
    await shelf.read(other, shelf.root / "out" / "all.manifest", Way.MANIFEST)
    assert [(row.size, row.labels) for row in shelf.all(other)] == [(row.size, row.labels) for row in before]
    named = await shelf.written(dataset, "named", source=source, uuids=tuple(gone), chosen=Chosen.LABELLED)
    assert (named.total, named.written) == (2, 2)
    bare = await shelf.written(dataset, "bare", source=source, chosen=Chosen.BARE)
    assert (bare.status, bare.total) == (TransferStatus.DONE, 0)
    sought = (Sought(name="0001.png"),)
    some = await shelf.written(dataset, "some", source=source, sought=sought, chosen=Chosen.SOUGHT)
    assert (some.total, some.written) == (2, 2)
    changed = structs.replace(source, digest=bytes(32))
    failed = await shelf.written(dataset, "failed", source=changed)
    assert (failed.status, failed.reason and failed.reason.code) == (TransferStatus.FAILED, "version.unreadable")


async def test_an_export_of_a_version_goes_on_where_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivium.resources.transfers.export_worker.MOST", 3)
    dataset = shelf.dataset()
    await shelf.read(dataset, shelf.images("cat", of_each=30))
    version = await shelf.published(dataset)
    assert version.digest is not None
    source = KeptAt(path=version.manifest, digest=version.digest, total=version.counts.total)
    write, calls = ExportInProgress.put, list[KeptSample]()

    def put(sink: ExportInProgress, sample: KeptSample) -> None:
        calls.append(sample)
        if len(calls) == 11:
            raise RuntimeError("as if nobody had thought of it")
        write(sink, sample)

    monkeypatch.setattr(ExportInProgress, "put", put)
    one = shelf.begin_export(dataset, "out", source=source)

    async def failed() -> bool:
        return len(calls) == 11

    async with shelf.working():
        await until_async(failed, what="the fault")
    async with shelf.working():
        done = await shelf.export_ended(one, dataset)
    assert (done.status, done.written) == (TransferStatus.DONE, 30)
    assert len(calls) == 30 + 2  # the two that were not noted come again
    assert [line["id"] for line in lines(shelf.root / "out/all.manifest")] == [
        row.uuid.hex for row in shelf.all(dataset)
    ]
