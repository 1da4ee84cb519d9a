"""Samples that are brought: files that appear whole or not at all, and are what an import finds."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders import HOST, Place, held_for_good, place
from tests.contract.annotations.world import jpeg, png, voc
from tests.gallery import Gallery, Visit
from tests.listening import Answer
from trivium.drivers.samples import arrivals
from trivium.resources import datasets, samples, transfers
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import Layout, Sample, SampleKind
from trivium.resources.samples.ports import Upload
from trivium.resources.transfers import NewImport, Way, importing
from trivium.store import Write


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


def one(name: Any, data: bytes | None = None, **more: Any) -> dict[str, Any]:
    """A sample in a body."""
    said = {"name": name, "data": base64.b64encode(png() if data is None else data).decode(), **more}
    return {key: value for key, value in said.items() if value is not None}


async def brought(visit: Visit, dataset: Dataset, *every: Any, of: dict[str, str] | None = None, **more: Any) -> Answer:
    body = json.dumps({"samples": every, **more}).encode()
    headers = {**(of or visit.token), "content-type": "application/json"}
    return await visit.listener.ask("POST", visit.gallery.path(dataset), headers, body)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shown(gallery: Gallery, dataset: Dataset) -> dict[str, Any]:
    assert dataset.uuid is not None
    found = gallery.store.read_now(datasets.get, gallery.alice, dataset.uuid)
    return {"counts": found.counts, "size": found.size}


def imported_again(gallery: Gallery, dataset: Dataset, layout: Layout = Layout.IMAGE_CLASSIFICATION) -> tuple[int, int]:
    """How many samples an import of the directory finds, and how many of them are just as they were."""
    path = gallery.root / "pets" / dataset.name
    assert dataset.uuid is not None
    gallery.store.write_now(held_for_good, HOST)
    new = NewImport(path=str(path), way=Way.DIRECTORY)
    begun = gallery.store.write_now(transfers.begin_import, gallery.alice, dataset.uuid, new=new)
    found = list(gallery.reader().directory(path, layout, wanted=begun.asked.wanted))

    def read(tx: Write) -> Any:
        taken = importing.take(tx, begun.id)
        assert taken is not None
        kept = importing.keep(tx, taken, found, base=os.fsencode(path), seconds=1)
        importing.finish(tx, begun.id)
        return kept

    counts = gallery.store.write_now(read).counts
    return counts.imported, counts.same


async def test_a_sample_is_brought_labelled_and_found_as_it_is_by_an_import(visit: Visit, cats: Dataset) -> None:
    gallery = visit.gallery
    labels = [{"name": "lion", "type": 0}]
    answer = await brought(visit, cats, one("a.png", labels=labels, metadata={"by": "hand"}), one("b.JPG", jpeg()))
    assert answer.status == 200, answer.body
    first, second = answer.json["results"]
    assert answer.json["success"] is True
    assert [first["name"], second["name"]] == ["/pets/cats/a.png", "/pets/cats/b.JPG"]
    assert (gallery.cats / "a.png").read_bytes() == png()
    assert names_in(gallery.cats) == ["a.png", "b.JPG"]
    said = await visit.asked(gallery.path(cats, f"/{first['info']}"))
    assert (said["labels"][0]["name"], said["sample_status"]) == ("lion", "MANUAL_ANNOTATION")
    assert said["metadata"] == {"by": "hand"}
    assert (await visit.get(await visit.source(cats, first["info"]))).body == png()
    assert shown(gallery, cats)["counts"].total == 2
    assert shown(gallery, cats)["size"] == len(png()) + len(jpeg())
    assert imported_again(gallery, cats) == (2, 2)
    assert (await visit.asked(gallery.path(cats, f"/{first['info']}")))["labels"] == said["labels"]


async def test_labels_that_are_not_final_wait_to_be_confirmed(visit: Visit, cats: Dataset) -> None:
    answer = await brought(visit, cats, one("a.png", labels=[{"name": "lion"}]), final_annotation=False)
    (found,) = answer.json["results"]
    said = await visit.asked(visit.gallery.path(cats, f"/{found['info']}"))
    assert said["sample_status"] == "AUTO_ANNOTATION"


async def test_each_is_refused_alone_and_all_together_are_an_error(visit: Visit, cats: Dataset) -> None:
    (visit.gallery.cats / "there.png").write_bytes(b"mine")
    every = [one("there.png"), one("a.png"), one("no.png", b"no picture"), one("large.png", png(20_000, 10_000))]
    answer = await brought(visit, cats, *every)
    told = [(found["success"], found.get("error_code")) for found in answer.json["results"]]
    assert told == [
        (False, "ModelArts.4422"),
        (True, None),
        (False, "ModelArts.4421"),
        (False, "ModelArts.4419"),
    ]
    assert (answer.json["success"], answer.json["error_code"]) == (False, "ModelArts.4422")
    assert "no.png" in answer.json["results"][2]["error_msg"]
    assert (visit.gallery.cats / "there.png").read_bytes() == b"mine"
    assert names_in(visit.gallery.cats) == ["a.png", "there.png"]
    again = await brought(visit, cats, one("a.png"), one("no.png", b"no picture"))
    assert (again.status, again.json["error_code"]) == (400, "ModelArts.4422")
    assert shown(visit.gallery, cats)["counts"].total == 1


NAMES: Final = [
    "猫.png",
    "кот.png",
    "قطة.png",
    "แมว.png",
    "né e.png",
    "😺.png",
    "a" * 251 + ".png",
    "%2e%2e.png",
    "a;b.Png",
]


async def test_names_of_every_script_are_kept(visit: Visit, cats: Dataset) -> None:
    answer = await brought(visit, cats, *map(one, NAMES))
    assert answer.json["success"] is True
    assert names_in(visit.gallery.cats) == sorted(NAMES)
    assert imported_again(visit.gallery, cats) == (len(NAMES), len(NAMES))


BAD_NAMES: Final = [
    *("../a.png", "a/b.png", "/etc/a.png", "..", ".", ".hidden.png", "a\\b.png", "", None),
    *("a" * 296 + ".png", "猫" * 84 + ".png", "a\n.png", "a\u202e.png", "a.txt", "a.svg", "a", "png", "<a>.png"),
    *('a".png', "a&b.png", "a=b.png", "a!.png", "a'.png", "a.pNg"),
]


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_is_none_is_refused_and_named(visit: Visit, cats: Dataset, name: str | None) -> None:
    refused = await brought(visit, cats, one(name))
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4396")
    assert "samples[0].name" in refused.json["error_msg"]
    assert names_in(visit.gallery.cats) == []


async def test_a_name_with_nul_in_it_is_refused(visit: Visit, cats: Dataset) -> None:
    for name, code in (("a\0.png", "ModelArts.4396"), ("\ud800.png", "ModelArts.6400")):
        refused = await brought(visit, cats, one(name))
        assert (refused.status, refused.json["error_code"]) == (400, code)
    assert names_in(visit.gallery.cats) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"data": "no base64!"}, "samples[0].data"),
        ({"data": ""}, "samples[0].data"),
        ({"data_source": {"data_path": "obs://pets/a"}}, "samples[0].data_source"),
        ({"sample_type": 6}, "samples[0].sample_type"),
        ({"encoding": "EBCDIC"}, "samples[0].encoding"),
        ({"labels": [{"name": "a", "type": 7}]}, "samples[0].labels[0].type"),
        ({"labels": [{"name": "a", "score": 2}]}, "samples[0].labels[0].score"),
        ({"labels": [{"name": "a" * 3000}]}, "name"),
    ],
)
async def test_what_is_wrong_with_a_sample_is_named(
    visit: Visit, cats: Dataset, more: dict[str, Any], field: str
) -> None:
    refused = await brought(visit, cats, {**one("a.png"), **more})
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4396")
    assert field in refused.json["error_msg"]
    assert names_in(visit.gallery.cats) == []


async def test_lines_of_a_text_are_samples_with_one_label(visit: Visit) -> None:
    gallery = visit.gallery
    texts = gallery.dataset("texts", DatasetType.TEXT_CLASSIFICATION)
    answer = await brought(
        visit, texts, one("a.txt", "good\n好\n".encode("gbk"), encoding="GBK", labels=[{"name": "x"}])
    )
    assert answer.json["success"] is True, answer.body
    every = (await visit.asked(gallery.path(texts)))["samples"]
    assert sorted(found["sample_data"][0] for found in every) == ["good", "好"]
    assert {found["labels"][0]["name"] for found in every} == {"x"}
    assert answer.json["results"][0]["info"] == next(f["sample_id"] for f in every if f["sample_data"] == ["good"])
    assert imported_again(gallery, texts, Layout.TEXT_CLASSIFICATION) == (2, 2)
    for content in (b"\n \n", b"\xff\xfe\x00"):
        assert (await brought(visit, texts, one("b.txt", content))).json["error_code"] == "ModelArts.4421"
    many = await brought(visit, texts, one("c.txt", b"x\n" * 10_001))
    assert many.json["error_code"] == "ModelArts.4419"
    assert names_in(gallery.root / "pets" / "texts") == ["a.txt"]


async def test_other_types_take_files_of_their_kind_or_none(visit: Visit) -> None:
    gallery = visit.gallery
    boxes = gallery.dataset("boxes", DatasetType.OBJECT_DETECTION)
    (gallery.root / "pets" / "boxes" / "a.xml").write_text(voc(), "utf-8")
    shape = {"@modelarts:shape": "bndbox", "@modelarts:feature": [[1, 2], [3, 4]]}
    answer = await brought(visit, boxes, one("a.png", labels=[{"name": "cat", "property": shape}]))
    assert answer.json["success"] is True, answer.body
    anything = gallery.dataset("free", DatasetType.FREE)
    answer = await brought(visit, anything, one("a.html", b"<html>"), one("b.png", b"no", sample_type=9))
    assert answer.json["success"] is True, answer.body
    found = await visit.get(await visit.source(anything, answer.json["results"][0]["info"]))
    assert found.header("content-type") == "application/octet-stream"
    films = gallery.dataset("films", DatasetType.VIDEO)
    assert (await brought(visit, films, one("a.mp4", b"film"))).json["success"] is True
    for type in (DatasetType.TABLE, DatasetType.NAMED_ENTITY):
        refused = await brought(visit, gallery.dataset(f"t{type}", type), one("a.csv", b"a"))
        assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.0101")


async def test_only_who_may_change_the_dataset_brings_samples(visit: Visit, cats: Dataset) -> None:
    gallery = visit.gallery
    bob = gallery.here.user("bob")
    body = json.dumps({"samples": [one("a.png")]}).encode()
    refused = await visit.listener.ask("POST", gallery.path(cats, of=bob), gallery.token(bob), body)
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4352")
    for count in (0, 101):
        refused = await brought(visit, cats, *[one("a.png")] * count)
        assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4396")
    assert names_in(gallery.cats) == []


async def test_a_directory_that_is_swapped_for_a_link_takes_nothing(
    visit: Visit, cats: Dataset, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    visit.gallery.cats.rmdir()
    for target in (outside, visit.gallery.root.parent):
        visit.gallery.cats.symlink_to(target)
        refused = await brought(visit, cats, one("a.png"))
        assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4421")
        visit.gallery.cats.unlink()
    assert names_in(outside) == []
    refused = await brought(visit, cats, one("a.png"))
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4421")


def test_a_file_whose_row_was_never_written_is_found_by_the_next_import(gallery: Gallery, cats: Dataset) -> None:
    upload = Upload(name="a.png", content=png(), layout=Layout.IMAGE_CLASSIFICATION, kind=SampleKind.IMAGE)
    (found,) = gallery.files.put(upload, folder=str(gallery.cats), within=str(gallery.root))
    assert shown(gallery, cats)["counts"].total == 0
    assert imported_again(gallery, cats) == (1, 0)
    assert cats.uuid is not None
    arrived = [samples.Arrived(samples=(found,))]
    (uuid,) = gallery.store.write_now(samples.take_in, gallery.alice, cats.uuid, arrived=arrived)
    assert shown(gallery, cats)["counts"].total == 1
    assert gallery.store.read_now(samples.get, cats, uuid).name == "a.png"


def test_where_files_cannot_be_without_a_name_they_have_a_hidden_one(
    gallery: Gallery, cats: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, seen = os.open, list[bytes]()

    def open_named(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no such files here")
        if flags & os.O_CREAT:
            seen.append(path)
        return really(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(arrivals.os, "open", open_named)
    upload = Upload(name="a.png", content=png(), layout=Layout.IMAGE_CLASSIFICATION, kind=SampleKind.IMAGE)
    (found,) = gallery.files.put(upload, folder=str(gallery.cats), within=str(gallery.root))
    assert isinstance(found, Sample)
    with pytest.raises(samples.SampleFileThere):
        gallery.files.put(upload, folder=str(gallery.cats), within=str(gallery.root))
    monkeypatch.undo()
    assert seen
    assert all(name.startswith(arrivals.HIDDEN) for name in seen)
    assert names_in(gallery.cats) == ["a.png"]
    assert imported_again(gallery, cats) == (1, 0)


async def test_of_two_who_bring_one_name_one_has_it(visit: Visit, cats: Dataset) -> None:
    answers = await asyncio.gather(*(brought(visit, cats, one("a.png", png(number, 9))) for number in range(1, 9)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    assert {answer.json.get("error_code") for answer in answers} == {None, "ModelArts.4422"}
    assert names_in(visit.gallery.cats) == ["a.png"]
    assert shown(visit.gallery, cats)["counts"].total == 1
