"""Datasets over ModelArts' API, signed by Huawei's own signer: what is in a bucket is imported and labelled."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from tests.contract.annotations.world import png, write, write_manifest
from tests.flows.conftest import Site
from tests.flows.signed import Signed
from tests.flows.zstack import zstack
from tests.serving import Server
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)

SOURCE = {"data_path": "obs://pets/cats/", "source_info": {"user_name": "u", "user_password": "open sesame"}}
NEW = {"dataset_name": "cats", "dataset_type": 0, "data_sources": [SOURCE], "work_path": "/out/work/"}


class Datasets(Signed):
    """The datasets of somebody's project."""

    def __init__(self, server: Server, key: dict[str, str]) -> None:
        super().__init__(server, key, "/v2/{project_id}/datasets")

    def ended(self, dataset: str, task: str) -> dict[str, Any]:
        """A task once it is over."""

        def found() -> dict[str, Any] | None:
            now = self.said("GET", f"/{dataset}/import-tasks/{task}")
            assert now["status"] in ("QUEUING", "RUNNING", "COMPLETED", "FAILED"), now
            return now if now["status"] in ("COMPLETED", "FAILED") else None

        there = until(found, within=60, what="a task that is over")
        assert there is not None
        return there

    def shown(self, dataset: str, **query: Any) -> dict[str, dict[str, Any]]:
        """The samples of a dataset, by their names."""
        answer = self.said("GET", f"/{dataset}/data-annotations/samples", limit=100, **query)
        assert answer["sample_count"] == len(answer["samples"])
        return {one["sample_name"]: one for one in answer["samples"]}

    def labels(self, dataset: str) -> dict[str, dict[str, Any]]:
        """The labels of a dataset, by their names."""
        return {one["name"]: one for one in self.said("GET", f"/{dataset}/data-annotations/labels")["labels"]}


def test_what_is_in_a_bucket_is_imported_labelled_and_taken_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    pets = data / "datasets" / "pets"
    write(
        pets / "cats", {"lion/a.png": png(), "lion/b.png": png(), "lynx/c.png": png(), "lynx/broken.png": b"no image"}
    )
    (data / "datasets" / "out").mkdir()
    with zstack(data) as (server, door):
        calls = Datasets(server, Site(server, data).type("key", "create", "--user", "admin"))
        made = calls.said(
            "POST", body=NEW | {"labels": [{"name": "puma", "property": {"@modelarts:color": "#3399ff"}}]}
        )
        cats = made["dataset_id"]
        read = calls.ended(cats, made["import_task_id"])
        assert (read["status"], read["total_sample_count"], read["imported_sample_count"]) == ("COMPLETED", 4, 3)
        assert "broken.png" in read["error_msg"]
        assert "error_code" not in read
        check_shown(calls, cats)
        check_labels(calls, cats)
        check_samples(calls, cats)
        check_uploads(calls, cats, pets)
        check_imports(calls, cats, pets)
        check_versions(calls, cats, data / "datasets")
        check_confirming(calls, cats)
        check_exports(calls, cats, data / "datasets")
        check_syncs(calls, cats, pets)
        check_deleting(calls, cats, pets / "cats")
        (seen,) = door.query(f"/ai/datasets/{cats}")
        assert (seen["name"], seen["url"]) == ("lions", "obs://pets/cats/")
        assert calls.said("DELETE", f"/{cats}") is None
        assert calls.ask("GET", f"/{cats}").json()["error_code"] == "ModelArts.4352"
        assert (pets / "cats" / "lion" / "a.png").exists()


def check_shown(calls: Datasets, cats: str) -> None:
    shown = calls.said("GET", f"/{UUID(cats)}")
    assert (shown["status"], shown["total_sample_count"], shown["annotated_sample_count"]) == (1, 3, 3)
    assert shown["data_sources"] == [SOURCE | {"source_info": {"user_name": "u", "user_password": "******"}}]
    assert [one["name"] for one in shown["labels"]] == ["puma", "lion", "lynx"]
    assert "open sesame" not in str(calls.said("GET", f"/{cats}/import-tasks"))
    calls.said("PUT", f"/{cats}", body={"dataset_name": "lions", "delete_labels": [{"name": "puma"}]})
    assert calls.said("GET", search_content="LION")["datasets"][0]["dataset_id"] == cats


def check_labels(calls: Datasets, cats: str) -> None:
    below = f"/{cats}/data-annotations/labels"
    calls.said("PUT", f"{below}/lion", body={"@modelarts:color": "#ff9933", "@modelarts:shortcut": "l"})
    calls.said("PUT", f"{below}/lion", body={"@modelarts:shortcut": ""})
    body = {"labels": [{"name": "lion", "property": {"@modelarts:rename_to": "tiger"}}]}
    assert calls.said("PUT", below, body=body) == {"success": True}
    assert calls.labels(cats) == {
        "tiger": {"name": "tiger", "type": 0, "property": {"@modelarts:color": "#ff9933"}},
        "lynx": {"name": "lynx", "type": 0, "property": {}},
    }
    assert set(calls.shown(cats, label_name="tiger")) == {"a.png", "b.png"}


def check_samples(calls: Datasets, cats: str) -> None:
    below = f"/{cats}/data-annotations"
    a = calls.shown(cats)["a.png"]
    assert a["sample_dir"] == "/pets/cats/lion/"
    found = httpx.get(a["source"], trust_env=False)
    assert (found.content, found.headers["content-type"]) == (png(), "image/png")
    assert calls.ask("GET", f"{below}/samples/{a['sample_id']}/file").content == png()
    rain = a["metadata"] | {"weather": "rain"}
    said = {"sample_id": a["sample_id"], "labels": [{"name": "manul"}], "sample_usage": "EVAL", "metadata": rain}
    calls.said("PUT", f"{below}/samples", body={"samples": [said]})
    told = {"@modelarts:size": [], "weather": ["rain"]}
    assert calls.said("GET", f"{below}/search-condition")["metadata"] == told
    assert calls.said("GET", f"{below}/stats")["metadata_stats"] == {"@modelarts:size": {}, "weather": {"rain": 1}}
    again = calls.said("GET", f"{below}/samples/{a['sample_id']}")
    assert (again["labels"], again["sample_usage"]) == ([{"name": "manul", "type": 0, "annotated_by": "human"}], "EVAL")
    assert set(calls.shown(cats, label_name="tiger", sample_state="__ALL__")) == {"b.png"}
    calls.said("PUT", f"{below}/samples", body={"samples": [{"sample_id": a["sample_id"]}]})
    assert set(calls.shown(cats, sample_state="__NONE__")) == {"a.png"}
    calls.said("POST", f"{below}/samples/delete", body={"samples": [a["sample_id"]]})
    assert calls.said("DELETE", f"{below}/labels/lynx") is None
    assert set(calls.shown(cats)) == {"b.png"}
    stats = calls.said("GET", f"{below}/stats")
    assert stats["sample_stats"] | {"total": 1, "manual_annotation": 1, "deleted": 2} == stats["sample_stats"]


def check_uploads(calls: Datasets, cats: str, pets: Path) -> None:
    below = f"/{cats}/data-annotations/samples"
    out = io.BytesIO()
    Image.new("RGB", (80, 40), (255, 0, 0)).save(out, "PNG")
    body = {
        "samples": [
            {"name": "猫.png", "data": base64.b64encode(out.getvalue()).decode(), "labels": [{"name": "tiger"}]}
        ]
    }
    (told,) = calls.said("POST", below, body=body)["results"]
    assert (told["success"], told["name"]) == (True, "/pets/cats/猫.png")
    assert (pets / "cats" / "猫.png").read_bytes() == out.getvalue()
    small = calls.shown(cats, label_name="tiger", process_parameter="image/resize,h_20")["猫.png"]
    assert small["sample_id"] == told["info"]
    drawn = httpx.get(small["source"], trust_env=False)
    assert Image.open(io.BytesIO(drawn.content)).size == (40, 20)
    assert calls.ask("POST", below, body=body).json()["error_code"] == "ModelArts.4422"
    calls.said("POST", f"{below}/delete", body={"samples": [told["info"]]})


def check_imports(calls: Datasets, cats: str, pets: Path) -> None:
    annotation = {"type": "modelarts/image_classification", "name": "lynx"}
    write_manifest(pets, {"source": "obs://pets/cats/lynx/c.png", "annotation": [annotation]})
    asked = {"import_path": "obs://pets/a.manifest", "import_type": "manifest", "final_annotation": False}
    task = calls.said("POST", f"/{cats}/import-tasks", body=asked)["task_id"]
    done = calls.ended(cats, task)
    assert (done["status"], done["import_type"], done["unconfirmed_sample_count"]) == ("COMPLETED", 1, 1)
    assert set(calls.shown(cats, sample_state="__AUTO_ANNOTATION__")) == {"c.png"}
    nothing = {"import_path": "/pets/nothing/"}
    failed = calls.ended(cats, calls.said("POST", f"/{cats}/import-tasks", body=nothing)["task_id"])
    assert (failed["status"], failed["error_code"]) == ("FAILED", "ModelArts.4312")
    assert calls.said("GET", f"/{cats}/import-tasks")["total_count"] == 3


def check_confirming(calls: Datasets, cats: str) -> None:
    """Who sends the labels of a sample again confirms them."""
    waiting = calls.shown(cats, sample_state="__AUTO_ANNOTATION__")
    confirmed = {name: waiting["c.png"][name] for name in ("sample_id", "labels")}
    calls.said("PUT", f"/{cats}/data-annotations/samples", body={"samples": [confirmed]})
    assert calls.shown(cats)["c.png"]["sample_status"] == "MANUAL_ANNOTATION"


def check_versions(calls: Datasets, cats: str, buckets: Path) -> None:
    below = f"/{cats}/versions"
    shown = published(calls, cats)
    first = shown["version_id"]
    assert (shown["version_name"], shown["is_current"], shown["total_sample_count"]) == ("V001", True, 2)
    manifest = buckets / "out" / "work" / f"dataset-{cats}" / "annotation" / "V001" / "V001.manifest"
    assert len(manifest.read_text().splitlines()) == 2
    check_samples_of_version(calls, cats, first, manifest)
    calls.said("POST", f"/{cats}/data-annotations/labels", body={"labels": [{"name": "later"}]})
    named = calls.said("GET", f"/{cats}/data-annotations/labels", version_id=first)
    assert "later" not in {label["name"] for label in named["labels"]}
    one = calls.said("GET", f"/{cats}")
    assert (one["current_version_name"], [each["version_id"] for each in one["versions"]]) == ("V001", [first])
    assert one["inner_annotation_path"] == f"/out/work/dataset-{cats}/annotation/"
    assert one["versions"][0]["manifest_path"] == f"{one['inner_annotation_path']}V001/V001.manifest"
    for query, number in (("true", 1), ("false", 0)):
        assert calls.said("GET", contain_versions=query)["total_number"] == number
    assert calls.said("GET", version_format=0, train_evaluate_ratio="1,1")["datasets"][0]["dataset_id"] == cats
    check_usage_of_versions(calls, cats, manifest)
    assert calls.said("DELETE", f"{below}/{first}") is None
    assert calls.said("GET", below)["total_number"] == 0
    assert manifest.exists()


def published(calls: Datasets, cats: str, **asked: Any) -> dict[str, Any]:
    """A version that is written."""
    below = f"/{cats}/versions"
    version = calls.said("POST", below, body=asked)["version_id"]

    def written() -> dict[str, Any] | None:
        now = calls.said("GET", f"{below}/{version}")
        return now if now["status"] == 1 else None

    shown = until(written, within=60, what="a version that is written")
    assert shown is not None
    return shown


def check_usage_of_versions(calls: Datasets, cats: str, first: Path) -> None:
    """What samples are for is said as it was asked, and versions are found by that."""
    below = f"/{cats}/versions"
    for name, asked, usages in (
        ("bare", {}, [None, None]),
        ("kept", {"remove_sample_usage": False}, [None, "EVAL"]),
        ("split", {"train_evaluate_sample_ratio": "0.00"}, ["EVAL", "EVAL"]),
    ):
        version = published(calls, cats, version_name=name, **asked)
        lines = (first.parents[1] / name / f"{name}.manifest").read_text().splitlines()
        assert sorted((json.loads(line).get("usage") for line in lines), key=str, reverse=True) == usages
        if name == "split":
            found = calls.said("GET", below, train_evaluate_ratio="0.0,0.5")
            assert [one["version_id"] for one in found["versions"]] == [version["version_id"]]
        calls.said("DELETE", f"{below}/{version['version_id']}")


def check_samples_of_version(calls: Datasets, cats: str, version: str, manifest: Path) -> None:
    """They are what they were, whatever becomes of the dataset."""
    before = calls.shown(cats)
    assert calls.shown(cats, version_id=version) == before
    b = before["b.png"]["sample_id"]
    said = {"samples": [{"sample_id": b, "labels": [{"name": "manul"}], "sample_usage": "EVAL"}]}
    calls.said("PUT", f"/{cats}/data-annotations/samples", body=said)
    assert calls.shown(cats)["b.png"] != before["b.png"]
    assert calls.shown(cats, version_id=version) == before
    asked = {"version_id": version, "limit": 1}
    pages = [calls.said("GET", f"/{cats}/data-annotations/samples", offset=page, **asked) for page in range(3)]
    assert [[one["sample_name"] for one in page["samples"]] for page in pages] == [["c.png"], ["b.png"], []]
    assert {page["sample_count"] for page in pages} == {2}
    sought = '[{"sample_dir":"/pets/cats/lion/","sample_time":"day"}]'
    for query in ({"label_name": "tiger"}, {"sample_state": "__ALL__"}, {"search_conditions": sought}):
        assert set(calls.shown(cats, version_id=version, **query)) == {"b.png"}
    assert set(calls.shown(cats, version_id=version, sample_state="__AUTO_ANNOTATION__")) == {"c.png"}
    for query, code in (({"label_name": "later"}, "ModelArts.4410"), ({"limit": 0}, "ModelArts.4396")):
        refused = calls.ask("GET", f"/{cats}/data-annotations/samples", version_id=version, **query)
        assert refused.json()["error_code"] == code
    whole = manifest.read_bytes()
    manifest.write_bytes(whole.replace(b"tiger", b"tigre"))
    assert calls.ask("GET", f"/{cats}/data-annotations/samples", **asked).json()["error_code"] == "ModelArts.4353"
    manifest.write_bytes(whole)
    assert calls.shown(cats, version_id=version) == before
    done = exported(calls, cats, {"path": "obs://out/older/", "version_id": version, "export_type": 0})
    assert (done["status"], done["total_sample_count"], done["version_id"]) == ("SUCCESSED", 1, version)
    assert (manifest.parents[4] / "older/data/lion/b.txt").read_text() == "tiger\n"


def exported(calls: Datasets, cats: str, body: dict[str, Any]) -> dict[str, Any]:
    """An export task that is over."""
    task = calls.said("POST", f"/{cats}/export-tasks", body=body)["task_id"]

    def ended() -> dict[str, Any] | None:
        now = calls.said("GET", f"/{cats}/export-tasks/{task}")
        return now if now["status"] in ("SUCCESSED", "FAILED") else None

    found = until(ended, within=60, what="an export that is over")
    assert found is not None
    return found


def check_exports(calls: Datasets, cats: str, buckets: Path) -> None:
    asked = {"path": "obs://out/there/", "export_type": 2}
    done = exported(calls, cats, asked)
    assert (done["status"], done["progress"], done["finished_sample_count"]) == ("SUCCESSED", 100.0, 2)
    there = buckets / "out" / "there"
    assert sorted(path.name for path in (there / "data").rglob("*.png")) == ["b.png", "c.png"]
    again = exported(calls, cats, asked)
    assert (again["status"], again["error_code"]) == ("FAILED", "ModelArts.4358")
    assert calls.said("GET", f"/{cats}/export-tasks")["total_count"] == 3
    new = {"export_new_dataset_name": "again", "export_new_dataset_work_path": "/out/work/again/"}
    body = {"path": "obs://out/new/", "export_params": {"export_dest": "NEW_DATASET", **new}}
    assert exported(calls, cats, body)["status"] == "SUCCESSED"
    again = calls.said("GET", search_content="again")["datasets"][0]["dataset_id"]
    shown = calls.said("GET", f"/{again}")
    assert calls.ended(again, shown["import_task_id"])["imported_sample_count"] == 2
    assert calls.shown(again)["b.png"]["sample_dir"] == "/out/new/data/lion/"
    body = body | {"path": "obs://out/newer/"}
    assert calls.ask("POST", f"/{cats}/export-tasks", body=body).json()["error_code"] == "ModelArts.4351"


def check_deleting(calls: Datasets, cats: str, folder: Path) -> None:
    below, shown = f"/{cats}/data-annotations/samples/delete", calls.shown(cats)
    body = {"samples": [shown["猫.png"]["sample_id"]], "delete_source": True}
    assert calls.said("POST", below, body=body) == {"success": True}
    until(lambda: not (folder / "猫.png").exists(), what="a file that is deleted")
    (folder / "lynx" / "c.png").rename(folder / "c.png")
    (folder / "lynx" / "c.png").symlink_to("../c.png")
    named = {"samples": [shown["c.png"]["sample_id"]], "delete_source": True}
    refused = calls.ask("POST", below, body=named).json()
    assert (refused["error_code"], refused["error_msg"][:13]) == ("ModelArts.0101", "delete_source")
    assert set(calls.shown(cats)) == {"a.png", "c.png"}


def check_syncs(calls: Datasets, cats: str, pets: Path) -> None:
    below = f"/{cats}/sync-data"
    assert calls.said("GET", f"{below}/status") == {"status": "NOT_EXIST", "dataset_id": cats}

    def synced() -> dict[str, Any]:
        assert calls.said("POST", below) == {}

        def ended() -> dict[str, Any] | None:
            now = calls.said("GET", f"{below}/status")
            return now if now["status"] in ("COMPLETED", "FAILED") else None

        found = until(ended, within=60, what="a sync that is over")
        assert found is not None
        return found

    (pets / "cats" / "lion" / "b.png").unlink()
    done = synced()
    counts = {name: done[f"{name}_sample_count"] for name in ("add", "deleted", "total")}
    assert (done["status"], counts) == ("COMPLETED", {"add": 2, "deleted": 1, "total": 3})
    assert set(calls.shown(cats)) == {"a.png", "c.png", "猫.png"}  # whose files stayed when they were taken out
    (pets / "cats").rename(pets / "away")
    failed = synced()
    assert (failed["status"], failed["error_code"], failed["deleted_sample_count"]) == ("FAILED", "ModelArts.4312", 0)
    assert len(calls.shown(cats)) == 3
    (pets / "away").rename(pets / "cats")
    assert calls.said("GET", f"/{cats}/import-tasks")["total_count"] == 3
