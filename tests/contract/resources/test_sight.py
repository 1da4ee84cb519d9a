"""Files in stores that somebody does not see are neither read for them, whatever a manifest names, nor copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import Place, place
from tests.contract.annotations import world
from tests.sources import Shelf
from trivium.base.caller import SYSTEM
from trivium.resources import transfers
from trivium.resources.datasets import DatasetType
from trivium.resources.datasets.ports import SampleKind
from trivium.resources.samples import SampleState
from trivium.resources.stores import Sight
from trivium.resources.transfers import Form, NewImport, Way

BOX = """<annotation><object><name>cat</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>"""


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest.fixture
def shelf(here: Place, tmp_path: Path) -> Shelf:
    root = tmp_path / "sources"
    for name in ("mine", "bobs", "bobs/open"):
        (root / name).mkdir(parents=True)
        (root / name / "a.png").write_bytes(world.png(8, 8))
        (root / name / "a.xml").write_text(BOX)
    return Shelf(here, root)


def manifest(shelf: Shelf, *lines: dict[str, object]) -> Path:
    path = shelf.root / "mine" / "all.manifest"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


async def test_lines_that_name_files_in_others_stores_are_refused(shelf: Shelf) -> None:
    bob, root = shelf.here.user("bob"), shelf.root
    shelf.center_of(bob, root / "bobs")
    shelf.center_of(bob, root / "bobs" / "open", public=True)
    shaped = {"type": "modelarts/object_detection", "annotation-format": "PASCAL VOC"}
    path = manifest(
        shelf,
        {"source": "a.png"},
        {"source": str(root / "bobs" / "a.png")},
        {"source": str(root / "mine" / ".." / "bobs" / "a.png")},
        {"source": str(root / "bobs" / "absent.png")},
        {"source": "a.png", "annotation": [{**shaped, "annotation-loc": str(root / "bobs" / "a.xml")}]},
        {"source": str(root / "bobs" / "open" / "a.png")},
    )
    dataset = shelf.dataset(DatasetType.OBJECT_DETECTION)
    done = await shelf.read(dataset, path, Way.MANIFEST)
    refused = shelf.store.read_now(transfers.list_refusals, done)
    assert [(one.line, one.reason.code) for one in refused] == [
        (line, "dataset.source.closed") for line in (2, 3, 4, 5)
    ]
    assert {row.path for row in shelf.all(dataset)} == {bytes(root / "mine/a.png"), bytes(root / "bobs/open/a.png")}


async def test_an_administrator_has_them_read(shelf: Shelf) -> None:
    shelf.center_of(shelf.here.user("bob"), shelf.root / "bobs")
    path = manifest(shelf, {"source": str(shelf.root / "bobs" / "a.png")})
    dataset = shelf.dataset()
    new = NewImport(path=str(path), way=Way.MANIFEST)
    async with shelf.working():
        begun = shelf.store.write_now(transfers.begin_import, SYSTEM, dataset.uuid, new=new)
        done = await shelf.ended(begun, dataset)
    assert (done.counts.imported, done.counts.refused) == (1, 0)


async def test_a_sync_sees_what_who_asks_for_it_sees(shelf: Shelf) -> None:
    shelf.center_of(shelf.here.user("bob"), shelf.root / "bobs")
    path = manifest(shelf, {"source": str(shelf.root / "bobs" / "a.png")})
    dataset = shelf.dataset()
    async with shelf.working():
        new = NewImport(path=str(path), way=Way.MANIFEST)
        begun = shelf.store.write_now(transfers.begin_import, SYSTEM, dataset.uuid, new=new)
        await shelf.ended(begun, dataset)
    done = await shelf.synced(dataset)
    assert (done.counts.imported, done.counts.refused, done.counts.removed) == (0, 1, 0)


async def test_copies_are_not_made_of_files_that_went_into_another_s_store(shelf: Shelf) -> None:
    root = shelf.root
    path = manifest(shelf, {"source": "a.png"}, {"source": str(root / "bobs" / "a.png")})
    dataset = shelf.dataset()
    await shelf.read(dataset, path, Way.MANIFEST)
    shelf.center_of(shelf.here.user("bob"), root / "bobs")
    done = await shelf.written(dataset, "out", form=Form(copies=True))
    assert (done.written, done.refused) == (1, 1)
    said = await shelf.written(dataset, "said")
    assert (said.written, said.refused) == (2, 0)
    assert {(row.kind, row.state) for row in shelf.all(dataset)} == {(SampleKind.IMAGE, SampleState.BARE)}


@pytest.mark.parametrize(
    ("directory", "is_shown"),
    [(b"/a", True), (b"/a/x", True), (b"/a/b", False), (b"/a/b/c/d", False), (b"/ab", False), (b"/a/b/e/f", True)],
)
def test_the_innermost_store_decides(directory: bytes, *, is_shown: bool) -> None:
    assert Sight(stores={b"/a": True, b"/a/b": False, b"/a/b/e": True}).shows(directory) is is_shown
    assert Sight(stores={b"/": is_shown}).shows(directory) is is_shown
    assert Sight().shows(directory)
