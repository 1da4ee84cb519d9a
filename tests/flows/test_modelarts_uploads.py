"""Samples are posted to a server that is killed: each file is whole or not there, and none is lost to its dataset."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.contract.annotations.world import png
from tests.flows.conftest import Site
from tests.flows.test_modelarts_datasets import NEW, Datasets
from tests.flows.zstack import zstack
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)

MANY = 40
"""Samples that two at once bring before the server is killed."""


def content(name: str) -> bytes:
    """A picture that is told from its name, and takes a while to be written."""
    return png() + hashlib.shake_128(name.encode()).digest(300_000)


def bring(calls: Datasets, dataset: str, worker: str, told: list[str]) -> None:
    """Bring samples, one after the other and three at a time, until the server is no more."""
    with suppress(httpx.TransportError):
        for number in range(10_000):
            names = [f"{worker}-{number}-{part}.png" for part in "abc"]
            body = {"samples": [{"name": name, "data": base64.b64encode(content(name)).decode()} for name in names]}
            answer = calls.said("POST", f"/{dataset}/data-annotations/samples", body=body)
            told += [one["name"].rpartition("/")[2] for one in answer["results"] if one["success"]]


def test_a_server_that_is_killed_leaves_whole_files_and_loses_none(tmp_path: Path, crash_seed: int) -> None:
    data = tmp_path / "data"
    cats, told = data / "datasets" / "pets" / "cats", list[str]()
    cats.mkdir(parents=True)
    (data / "datasets" / "out").mkdir()
    with zstack(data) as (server, _):
        key = Site(server, data).type("key", "create", "--user", "admin")
        calls = Datasets(server, key)
        dataset = calls.said("POST", body=NEW)["dataset_id"]
        workers = [threading.Thread(target=bring, args=(calls, dataset, name, told)) for name in ("x", "y")]
        for worker in workers:
            worker.start()
        most = MANY + random.Random(crash_seed).randrange(6)
        until(lambda: len(list(cats.iterdir())) >= most, within=120, what="files that were brought")
        server.process.kill()
        for worker in workers:
            worker.join()
    there = sorted(path.name for path in cats.iterdir())
    assert [name for name in there if (cats / name).read_bytes() != content(name)] == []
    assert set(told) <= set(there)
    with zstack(data) as (server, _):
        calls = Datasets(server, key)
        before = calls.said("GET", f"/{dataset}")["total_sample_count"]
        assert len(told) <= before <= len(there)
        task = calls.said("POST", f"/{dataset}/import-tasks", body={"import_path": "obs://pets/cats/"})["task_id"]
        done = calls.ended(dataset, task)
        assert (done["status"], done["imported_sample_count"]) == ("COMPLETED", len(there))
        assert calls.said("GET", f"/{dataset}")["total_sample_count"] == len(there)
