"""A notebook that one vendor's client made is the other's too: each sees every step that the other takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.conftest import Scnet, Site
from tests.flows.test_modelarts_sdk import comes_to, made, refused
from tests.flows.test_scnet_cli import ask_for_a_notebook, open_page
from tests.huawei import Sdk, sdk
from tests.waiting import until

pytestmark = [pytest.mark.jupyter, pytest.mark.timeout(600)]


@pytest.fixture
def key(site: Site, tmp_path: Path) -> dict[str, str]:
    return site.key(f"both-{tmp_path.name}"[:60])


@pytest.fixture
def huawei(site: Site, key: dict[str, str]) -> Sdk:
    return Sdk(site.server.url, key)


@pytest.fixture
def scnet(site: Site, key: dict[str, str], tmp_path: Path) -> Scnet:
    return Scnet(tmp_path / "home", site.server, key)


def tags_of(*pairs: tuple[str, str]) -> Any:
    return sdk.CreateTmsTagsRequest(tags=[sdk.TmsTag(key=key, value=value) for key, value in pairs])


def test_a_notebook_made_through_scnet_is_lived_with_through_the_sdk(huawei: Sdk, scnet: Scnet) -> None:
    theirs = ask_for_a_notebook(scnet)
    shown = scnet.notebooks()[theirs]
    (listed,) = huawei.ask("list_notebooks").data
    image = scnet.json("notebook", "model-images")["records"][0]["path"]
    assert (listed.name, listed.image.swr_path, listed.lease.enable) == (shown["notebookName"], image, False)
    ours = listed.id
    running = comes_to(huawei, ours, "RUNNING")
    scnet.comes_to(theirs, "Running")
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        assert browser.get(f"{running.url}?token={running.token}").status_code == 200

    huawei.ask("create_notebook_tags", resource_id=ours, body=tags_of(("env", "prod")))
    assert [one["id"] for one in huawei.raw("list_notebooks", tags="env|prod")["data"]] == [ours]
    changed = huawei.ask("update_notebook", id=ours, body=sdk.NotebookUpdateRequest(name="of-both", description="x"))
    assert changed.name == "of-both"
    now = scnet.notebooks()[theirs]
    assert (now["notebookName"], now["notebookStatus"]) == ("of-both", "Running")

    assert huawei.ask("renew_lease", id=ours, duration=3600000).enable
    assert scnet.notebooks()[theirs]["notebookStatus"] == "Running"
    huawei.ask("renew_lease", id=ours, body=sdk.LeaseReq(duration=1000, type="TIMING"))
    scnet.comes_to(theirs, "Terminated")
    assert comes_to(huawei, ours, "STOPPED").tags[0].value == "prod"

    huawei.ask("start_notebook", id=ours, duration=-1)
    scnet.comes_to(theirs, "Running")
    assert open_page(scnet, theirs).status_code == 200
    assert huawei.ask("stop_notebook", id=ours).status == "STOPPING"
    scnet.comes_to(theirs, "Terminated")
    huawei.ask("delete_notebook", id=ours)
    assert scnet.notebooks() == {}


def test_a_notebook_made_through_the_sdk_is_lived_with_through_scnet(huawei: Sdk, scnet: Scnet) -> None:
    ours = made(huawei, "from-the-sdk")
    huawei.ask("create_notebook_tags", resource_id=ours, body=tags_of(("env", "prod")))
    ((theirs, shown),) = scnet.notebooks().items()
    assert shown["notebookName"] == "from-the-sdk"
    scnet.comes_to(theirs, "Running")
    comes_to(huawei, ours, "RUNNING")
    assert open_page(scnet, theirs).status_code == 200

    scnet.run("notebook", "rename", theirs, "of-both")
    renamed = huawei.ask("show_notebook", id=ours)
    assert (renamed.name, renamed.status, [tag.key for tag in renamed.tags]) == ("of-both", "RUNNING", ["env"])
    assert [one.id for one in huawei.ask("list_notebooks", name="of-bo").data] == [ours]

    scnet.run("notebook", "stop", theirs, "--save-env")
    comes_to(huawei, ours, "STOPPED")
    assert refused(huawei, "show_lease", id=ours) == (400, "ModelArts.6327")
    (saved,) = huawei.ask("list_image", type="DEDICATED").data
    assert (saved.status, saved.origin) == ("ACTIVE", "IMAGE_SAVE")
    (private,) = scnet.json("container", "images", "--access", "private")["data"]
    assert private["path"] == saved.swr_path

    scnet.run("notebook", "start", theirs)
    again = comes_to(huawei, ours, "RUNNING")
    assert (again.lease.enable, again.lease.duration) == (True, 3600000)  # the one that it had, from now on
    assert again.lease.create_at > renamed.lease.create_at
    assert refused(huawei, "start_notebook", id=ours) == (400, "ModelArts.6305")
    scnet.run("notebook", "stop", theirs)
    comes_to(huawei, ours, "STOPPED")
    scnet.run("notebook", "release", "-y", theirs)
    assert huawei.ask("list_notebooks").total == 0
    assert refused(huawei, "show_notebook", id=ours) == (400, "ModelArts.6309")
    until(lambda: huawei.ask("list_notebooks", status="DELETED").total == 1, within=60, what="a deleted notebook")
    assert huawei.ask("delete_image", id=saved.id).status == "DELETED"
    assert scnet.json("container", "images", "--access", "private")["data"] == []
