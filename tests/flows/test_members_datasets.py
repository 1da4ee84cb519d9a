"""Datasets of somebody who is no administrator: nothing is lost on the way, and what they are told is theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.annotations.world import jpeg, png, thing, voc, write, write_manifest
from tests.flows.operator import Operator, is_ready, site_in
from tests.flows.test_modelarts_datasets import Datasets, exported, published
from tests.serving import Server
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)

WHEEL = thing("wheel", "polygon", x1=1, y1=2, x2=3, y2=4, x3=5, y3=0)
NO_TEXT = os.fsdecode(b"caf\xe9.png")


class Member:
    """A member of a site with two buckets: `pets`, which samples are in, and `out`."""

    def __init__(self, operator: Operator, server: Server, key: dict[str, str]) -> None:
        self.operator, self.server = operator, server
        self.calls = Datasets(server, key)
        self.buckets = operator.datasets

    def dataset(self, name: str, place: str, kind: int = 0, work: str | None = None) -> str:
        """A dataset of what is at a place, once that is imported."""
        source = {"data_path": place, "data_type": 0}
        body = {"dataset_name": name, "dataset_type": kind, "data_sources": [source]}
        made = self.calls.said("POST", body={**body, "work_path": work or f"/out/{name}/"})
        if "import_task_id" in made:
            self.calls.ended(made["dataset_id"], made["import_task_id"])
        return made["dataset_id"]

    def imported(self, dataset: str, place: str, kind: str = "manifest") -> dict[str, Any]:
        """An import that is over."""
        body = {"import_path": place, "import_type": kind}
        return self.calls.ended(dataset, self.calls.said("POST", f"/{dataset}/import-tasks", body=body)["task_id"])

    def check_version(self, dataset: str, version: str, shown: dict[str, dict[str, Any]]) -> None:
        """Hold the samples that a version has against what they were, once they are otherwise in the dataset."""
        changed = [
            {"sample_id": one["sample_id"], "labels": one["labels"], "sample_usage": "TEST"} for one in shown.values()
        ]
        self.calls.said("PUT", f"/{dataset}/data-annotations/samples", body={"samples": changed})
        assert self.calls.shown(dataset, version_id=version) == shown

    def path(self, place: str) -> Path:
        """What is at a place."""
        return self.buckets / place.removeprefix("obs://").strip("/")


@pytest.fixture
def member(database_url: str, tmp_path: Path) -> Iterator[Member]:
    with site_in(tmp_path / "data", database_url, Operator) as operator:
        for bucket in ("pets", "out"):
            (operator.datasets / bucket).mkdir(parents=True)
        operator.tell("user", "create", "alice")
        key = operator.tell("key", "create", "--user", "alice")
        with operator.serving() as server:
            until(lambda: is_ready(server), within=120, what="a ready server")
            yield Member(operator, server, key)


def lines(manifest: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]


def test_a_sample_whose_name_is_no_text_comes_along_everywhere(member: Member) -> None:
    calls = member.calls
    cats = member.buckets / "pets" / "cats"
    write(cats, {"lion/a.png": png()})
    (cats / "lion" / NO_TEXT).write_bytes(png(9, 9))
    first = member.dataset("first", "obs://pets/cats/")
    shown = calls.shown(first)
    assert len(shown) == 2
    version = published(calls, first)
    assert version["total_sample_count"] == len(lines(member.path(version["manifest_path"]))) == 2
    member.check_version(first, version["version_id"], shown)
    back = member.dataset("back", "obs://pets/none/")
    done = member.imported(back, version["manifest_path"])
    assert (done["status"], done["imported_sample_count"], done.get("error_msg")) == ("COMPLETED", 2, None)
    assert {name: one["labels"] for name, one in calls.shown(back).items()} == {
        name: one["labels"] for name, one in shown.items()
    }
    new = {"export_new_dataset_name": "copied", "export_new_dataset_work_path": "/out/work/"}
    body = {"path": "obs://out/new/", "export_params": {"export_dest": "NEW_DATASET", **new}}
    told = exported(calls, first, body)
    assert (told["status"], told["finished_sample_count"], told.get("error_msg")) == ("SUCCESSED", 2, None)
    copied = calls.said("GET", search_content="copied")["datasets"][0]["dataset_id"]
    task = calls.said("GET", f"/{copied}")["import_task_id"]
    assert calls.ended(copied, task)["imported_sample_count"] == 2
    mark = shown[next(name for name in shown if name != "a.png")]["sample_id"][:12]
    names = {path.name for path in (member.buckets / "out" / "new" / "data" / "lion").iterdir()}
    assert names == {"a.png", "a.txt", f"caf_-{mark}.png", f"caf_-{mark}.txt"}


def test_an_export_says_how_much_is_lacking_and_why(member: Member) -> None:
    calls, cats = member.calls, member.buckets / "pets" / "cats"
    write(cats, {"lion/a.png": png(), "lion/b.png": png(9, 9)})
    first = member.dataset("first", "obs://pets/cats/")
    (cats / "lion" / "b.png").unlink()
    told = exported(calls, first, {"path": "obs://out/there/"})
    assert (told["status"], told["total_sample_count"], told["finished_sample_count"]) == ("SUCCESSED", 2, 1)
    words = "1 of 2 samples could not be written. The first: b.png is not there any more."
    assert (told["error_msg"], told.get("error_code")) == (words, None)
    version = published(calls, first, export_images=True)
    assert (version["status"], version["message"]) == (1, words)


def test_what_no_manifest_could_bring_back_is_no_label(member: Member) -> None:
    calls = member.calls
    write(member.buckets / "pets" / "cats", {"lion/a.png": png()})
    first = member.dataset("first", "obs://pets/cats/")
    sample = calls.shown(first)["a.png"]["sample_id"]
    below = f"/{first}/data-annotations"
    longest = "\u732b" * 256
    for name in (longest + "x", "two\nlines", "\u202e", " cat", ""):
        renamed = {"name": "lion", "property": {"@modelarts:rename_to": name}}
        asked: list[tuple[str, str, str, Any]] = [
            ("POST", "labels", "labels[0].name", [{"name": name}]),
            ("PUT", "samples", "samples[0].labels[0].name", [{"sample_id": sample, "labels": [{"name": name}]}]),
            *([("PUT", "labels", "labels[0].property.@modelarts:rename_to", [renamed])] if name else []),
        ]
        for method, path, field, said in asked:
            refused = calls.ask(method, f"{below}/{path}", {path: said})
            assert (refused.status_code, field in refused.json()["error_msg"]) == (400, True), refused.text
    calls.said("PUT", f"{below}/samples", body={"samples": [{"sample_id": sample, "labels": [{"name": longest}]}]})
    back = member.dataset("back", "obs://pets/none/")
    member.imported(back, published(calls, first)["manifest_path"])
    assert [label["name"] for label in calls.shown(back)["a.png"]["labels"]] == [longest]


def test_masks_come_along_with_copies_and_are_there(member: Member) -> None:
    calls, bikes = member.calls, member.buckets / "pets" / "bikes"
    write(bikes, {"deep/a.jpg": jpeg(), "deep/b.jpg": jpeg(), "masks/a.png": png(), "masks/b.png": png()})
    write(bikes, {f"{one}.xml": voc(WHEEL, more=f"<mask_source>masks/{one}.png</mask_source>") for one in "ab"})
    label = {"type": "modelarts/image_segmentation"}
    said = [{"source": f"deep/{one}.jpg", "annotation": [label | {"annotation-loc": f"{one}.xml"}]} for one in "ab"]
    write_manifest(bikes, *said)
    first = member.dataset("first", "obs://pets/bikes/", kind=3)
    assert member.imported(first, "obs://pets/bikes/a.manifest")["imported_sample_count"] == 2
    shown = calls.shown(first)
    assert shown["a.jpg"]["metadata"]["mask_source"] == "obs://pets/bikes/masks/a.png"
    version = published(calls, first, export_images=True)
    member.check_version(first, version["version_id"], shown)
    assert exported(calls, first, {"path": "obs://out/there/"})["finished_sample_count"] == 2
    there = member.buckets / "out" / "there"
    assert (there / "masks/deep/a.jpg.png").read_bytes() == png()
    assert "<mask_source>masks/deep/a.jpg.png</mask_source>" in (there / "data/deep/a.xml").read_text()
    manifest = f"obs://out/there/dataset-{first}.manifest"
    (bikes / "masks").rename(bikes / "away")
    other = member.dataset("other", "obs://pets/none/", kind=3)
    for back, place in ((other, version["manifest_path"]), (member.dataset("back", "obs://pets/no/", 3), manifest)):
        done = member.imported(back, place)
        assert (done["imported_sample_count"], done.get("error_msg")) == (2, None)
        mask = calls.shown(back)["a.jpg"]["metadata"]["mask_source"]
        assert member.path(mask) == member.path(place).parent / "masks/deep/a.jpg.png"
    (there / "masks/deep/a.jpg.png").unlink()
    done = member.imported(other, manifest)
    assert (done["status"], done["total_sample_count"], done["imported_sample_count"]) == ("COMPLETED", 2, 1)
    assert "masks/deep/a.jpg.png is not there" in done["error_msg"]
    lacking = exported(calls, first, {"path": "obs://out/lacking/"})
    assert (lacking["status"], lacking["finished_sample_count"]) == ("SUCCESSED", 0)
    assert "has a mask that is not there" in lacking["error_msg"]


def test_a_file_for_a_directory_and_the_other_way_is_called_what_it_is(member: Member) -> None:
    write(member.buckets / "pets" / "cats", {"lion/a.png": png()})
    first = member.dataset("first", "obs://pets/cats/")
    for place, kind, told in (
        ("obs://pets/cats/lion/a.png", "dir", "is a file, where a directory is wanted"),
        ("obs://pets/cats/", "manifest", "is a directory, where a file is wanted"),
        ("obs://pets", "manifest", "is a directory, where a file is wanted"),
    ):
        done = member.imported(first, place, kind)
        assert (done["status"], told in done["error_msg"]) == ("FAILED", True), done


def test_places_are_called_as_they_were_sent(member: Member) -> None:
    calls, buckets = member.calls, str(member.buckets)
    write(member.buckets, {"pets/cats/lion/a.png": png(), "more/b.png": png(9, 9), "pets/dogs/pug/c.png": png()})
    write_manifest(member.buckets / "more", {"source": "b.png"})
    first = member.dataset("first", "/pets/./cats/", work="s3://out/first/")
    other = member.dataset("other", "/pets/dogs/")
    assert member.imported(other, "obs://more/a.manifest")["imported_sample_count"] == 1
    for place, kind, told in (
        ("obs://pets/none.manifest", "manifest", "obs://pets/none.manifest is not there."),
        ("/pets/none/", "dir", "/pets/none is not there."),
    ):
        assert member.imported(first, place, kind)["error_msg"] == told
    body = {"import_path": "obs://pets/../etc/", "import_type": "dir"}
    refused = calls.ask("POST", f"/{first}/import-tasks", body).json()["error_msg"]
    assert ("obs://pets/../etc/" in refused, buckets in refused) == (True, False)
    exported(calls, first, {"path": "obs://out/there/"})
    again = exported(calls, first, {"path": "obs://out/there/"})
    assert (again["status"], again["error_msg"].split(" ")[0]) == ("FAILED", "obs://out/there")
    manifests: list[Path] = []
    for dataset, work, sources in (
        (first, "s3://out/first", ["obs://pets/cats/lion/a.png"]),
        (other, "/out/other", ["/pets/dogs/pug/c.png", "obs://more/b.png"]),
    ):
        shown, version = calls.shown(dataset), published(calls, dataset)
        below = f"{work}/dataset-{dataset}/annotation"
        assert version["manifest_path"] == f"{below}/V001/V001.manifest"
        manifest = member.path(version["manifest_path"].removeprefix("s3://"))
        assert [line["source"] for line in lines(manifest)] == sources
        member.check_version(dataset, version["version_id"], shown)
        (manifest.parents[1] / "V002").mkdir()
        (manifest.parents[1] / "V002" / "mine").touch()
        failed = calls.said("POST", f"/{dataset}/versions")["version_id"]

        def ended(one: str = f"/{dataset}/versions/{failed}") -> dict[str, Any] | None:
            now = calls.said("GET", one)
            return now if now["status"] != 0 else None

        there = until(ended, within=60, what="a version that failed")
        assert there is not None
        assert (there["status"], there["message"].split(" ")[0]) == (4, f"{below}/V002")
        manifests.append(manifest)
        back = member.dataset(f"back{len(manifests)}", "obs://pets/none/")
        assert member.imported(back, version["manifest_path"])["imported_sample_count"] == len(sources)
        assert {one["sample_dir"] for one in calls.shown(back).values()} == {
            one["sample_dir"] for one in shown.values()
        }
        exported(calls, dataset, {"path": f"obs://out/copies/{dataset}/", "version_id": version["version_id"]})
        manifests += (member.buckets / "out" / "copies" / dataset).glob("*.manifest")
        manifest.rename(manifest.with_suffix(".away"))
        gone = calls.ask("GET", f"/{dataset}/data-annotations/samples", version_id=version["version_id"])
        assert (gone.json()["error_code"], buckets in gone.text) == ("ModelArts.4353", False)
        manifest.with_suffix(".away").rename(manifest)
    assert not [one for one in manifests if buckets in one.read_text("utf-8")]
    assert len(manifests) == 4


def test_samples_of_versions_are_for_what_the_version_says(member: Member) -> None:
    calls = member.calls
    write(member.buckets / "pets" / "cats", {f"lion/{number}.png": png(8 + number, 8) for number in range(6)})
    first = member.dataset("first", "obs://pets/cats/")
    hard = {"name": "lion", "property": {"@modelarts:hard": True}}
    for one in calls.shown(first).values():
        said = {"sample_id": one["sample_id"], "labels": [hard], "sample_usage": "TEST"}
        calls.said("PUT", f"/{first}/data-annotations/samples", body={"samples": [said]})

    def usages(**query: Any) -> dict[str, str | None]:
        return {name: one.get("sample_usage") for name, one in calls.shown(first, **query).items()}

    tests = dict.fromkeys((f"{number}.png" for number in range(6)), "TEST")
    assert usages() == tests
    found: dict[str, dict[str, str | None]] = {}
    for asked in ({}, {"remove_sample_usage": False}, {"train_evaluate_sample_ratio": "0.50"}):
        version = published(calls, first, **asked)
        there = {Path(line["source"]).name: line.get("usage") for line in lines(member.path(version["manifest_path"]))}
        found[version["version_id"]] = there
    assert [{*there.values()} for there in found.values()] == [{None}, {"TEST"}, {"TRAIN", "EVAL"}]
    by_hard = {"search_conditions": '[{"hard":"1"}]'}
    for version, there in found.items():
        assert usages(version_id=version) == there
        labels = [one["labels"][0] for one in calls.shown(first, version_id=version).values()]
        assert [label.get("property") for label in labels] == [None] * 6
        assert usages(version_id=version, **by_hard) == {}
    assert usages(**by_hard) == tests
    calls.said(
        "POST",
        f"/{first}/data-annotations/samples/delete",
        body={"samples": [one["sample_id"] for one in calls.shown(first).values()]},
    )
    for version, there in found.items():
        assert usages(version_id=version) == there


def test_datasets_that_the_command_made_have_versions(member: Member) -> None:
    path = write(member.buckets / "pets" / "cats", {"lion/a.png": png()})
    words = ["dataset", "import", str(path), "--name", "cats", "--type", "image-classification"]
    made = member.operator.tell(*words, "--work-path", str(member.buckets / "out" / "cats"))
    assert made["imported"] == 1
    key = member.operator.tell("key", "create", "--user", "admin")
    calls = Datasets(member.server, key)
    (cats,) = calls.said("GET")["datasets"]
    version = published(calls, cats["dataset_id"])
    assert [line["source"] for line in lines(Path(version["manifest_path"]))] == [f"{path}/lion/a.png"]
