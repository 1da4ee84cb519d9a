"""Huawei's own SDK, unmodified, against a real server: a notebook's whole life."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.conftest import Scnet, Site
from tests.huawei import ClientRequestException, Sdk, sdk
from tests.installation import TRIVIUM
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.jupyter, pytest.mark.timeout(600)]


@pytest.fixture
def key(site: Site, tmp_path: Path) -> dict[str, str]:
    return site.key(f"sdk-{tmp_path.name}"[:60])


@pytest.fixture
def huawei(site: Site, key: dict[str, str]) -> Sdk:
    return Sdk(site.server.url, key)


def made(huawei: Sdk, name: str = "nb-demo") -> str:
    """The id of a new notebook of the built-in image."""
    image = next(found for found in huawei.ask("list_image", type="BUILD_IN").data if found.name == "jupyterlab")
    volume = sdk.VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=10)
    body = sdk.NotebookCreateRequest(name=name, image_id=image.id, flavor="modelarts.vm.cpu.1u", volume=volume)
    answer = huawei.ask("create_notebook", body=body)
    assert (answer.status, answer.feature, answer.workspace_id) == ("CREATING", "NOTEBOOK", "0")
    return answer.id


def comes_to(huawei: Sdk, notebook: str, status: str) -> Any:
    """The notebook once it has that status."""

    def found() -> Any:
        now = huawei.ask("show_notebook", id=notebook)
        assert now.status in (status, "CREATING", "STARTING", "RUNNING", "SNAPSHOTTING", "STOPPING"), now
        return now if now.status == status else None

    return until(found, within=90, what=f"a notebook that is {status}")


def printed(running: Any, code: str) -> str:
    """What a cell prints in a kernel of a notebook that runs."""
    command = [sys.executable, str(ROOT / "examples" / "run_cell.py"), f"{running.url}?token={running.token}"]
    done = subprocess.run([*command, code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(huawei: Sdk, operation: str, **fields: Any) -> tuple[int, str]:
    """What the client tells of a refusal."""
    with pytest.raises(ClientRequestException) as raised:
        huawei.ask(operation, **fields)
    assert raised.value.request_id
    return raised.value.status_code, raised.value.error_code


def test_a_notebook_lives_its_whole_life(huawei: Sdk, key: dict[str, str]) -> None:
    flavors = huawei.raw("list_flavors", category="CPU")
    assert (flavors["current"], flavors["pages"], flavors["size"]) == (1, 1, flavors["total"])
    assert {"id", "arch", "memory", "vcpus", "sold_out", "storages", "billing"} <= set(flavors["data"][0])
    notebook = made(huawei)
    running = comes_to(huawei, notebook, "RUNNING")
    assert running.user.name == key["user"]
    assert (running.lease.enable, running.lease.duration) == (True, 3600000)

    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        assert browser.get(f"{running.url}?token={running.token}").status_code == 200
    assert printed(running, "print(6 * 7)") == "42"

    listed = huawei.raw("list_notebooks", limit=10, sort_key="create_at", status="RUNNING")
    assert [(one["id"], one["token"]) for one in listed["data"]] == [(notebook, running.token)]
    assert (listed["current"], listed["pages"], listed["size"], listed["total"]) == (0, 1, 10, 1)
    assert refused(huawei, "start_notebook", id=notebook) == (400, "ModelArts.6305")

    assert huawei.ask("stop_notebook", id=notebook).status == "STOPPING"
    stopped = comes_to(huawei, notebook, "STOPPED")
    assert stopped.url is None
    assert huawei.ask("start_notebook", id=notebook, duration=-1).status == "STARTING"
    again = comes_to(huawei, notebook, "RUNNING")
    assert again.token != running.token
    with httpx.Client(trust_env=False) as visitor:
        assert visitor.get(f"{running.url}?token={running.token}").status_code in (401, 403)

    assert huawei.ask("delete_notebook", id=notebook).status == "DELETING"
    assert refused(huawei, "show_notebook", id=notebook) == (400, "ModelArts.6309")
    assert huawei.ask("list_all_notebooks").total == 0


def test_a_notebook_is_tagged_leased_saved_changed_and_remembered(huawei: Sdk, key: dict[str, str]) -> None:
    room = huawei.ask("create_workspace", body=sdk.CreateWorkspaceReq(name="research")).id
    image = next(found for found in huawei.ask("list_image", type="BUILD_IN").data if found.name == "jupyterlab")
    volume = sdk.VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=10)
    asked = {"image_id": image.id, "flavor": "modelarts.vm.cpu.1u", "volume": volume, "workspace_id": room}
    body = sdk.NotebookCreateRequest(name="first", description="of the flow", duration=-1, **asked)
    notebook = huawei.ask("create_notebook", body=body).id
    tags = [sdk.TmsTag(key="env", value="prod"), sdk.TmsTag(key="team", value="a")]
    huawei.ask("create_notebook_tags", resource_id=notebook, body=sdk.CreateTmsTagsRequest(tags=tags))
    listed = huawei.raw("list_notebooks", tags="env|prod", workspace_id=room)
    assert [(one["id"], one["tags"]) for one in listed["data"]] == [
        (notebook, [{"key": "env", "value": "prod"}, {"key": "team", "value": "a"}])
    ]
    assert huawei.raw("show_notebook_tags")["tags"][0] == {"key": "env", "values": ["prod"]}
    taken = sdk.DeleteTmsTagsRequest(tags=[sdk.TmsTag(key="team", value="a")])
    huawei.ask("delete_notebook_tags", resource_id=notebook, body=taken)
    running = comes_to(huawei, notebook, "RUNNING")
    assert [tag.key for tag in running.tags] == ["env"]
    assert running.lease.enable is False

    saving = sdk.ImageCreateReq(name="mine", namespace=key["user"].lower().replace("_", "-")[:60].strip("-"), tag="1.0")
    saved = huawei.ask("create_image", id=notebook, body=saving)
    assert (saved.status, saved.name, saved.tag) == ("CREATING", "mine", "1.0")
    assert refused(huawei, "create_image", id=notebook, body=saving)[0] == 400
    until(lambda: huawei.ask("show_image", id=saved.id).status == "ACTIVE", within=90, what="a saved image")
    comes_to(huawei, notebook, "RUNNING")
    assert refused(huawei, "create_image", id=notebook, body=saving) == (400, "ModelArts.6737")

    assert huawei.ask("renew_lease", id=notebook, duration=3600000).duration == 3600000
    lease = huawei.ask("renew_lease", id=notebook, body=sdk.LeaseReq(duration=2000, type="TIMING"))
    assert lease.enable
    comes_to(huawei, notebook, "STOPPED")
    assert refused(huawei, "show_lease", id=notebook) == (400, "ModelArts.6327")

    flavors = huawei.ask("show_switchable_flavors", id=notebook)
    assert "modelarts.vm.cpu.2u" in [flavor.id for flavor in flavors.data]
    change = sdk.NotebookUpdateRequest(name="second", flavor="modelarts.vm.cpu.2u", image_id=saved.id)
    changed = huawei.ask("update_notebook", id=notebook, body=change)
    assert (changed.name, changed.flavor, changed.image.id) == ("second", "modelarts.vm.cpu.2u", saved.id)
    huawei.ask("start_notebook", id=notebook, duration=-1)
    comes_to(huawei, notebook, "RUNNING")
    bigger = sdk.NotebookUpdateRequest(flavor="modelarts.vm.cpu.1u")
    assert refused(huawei, "update_notebook", id=notebook, body=bigger) == (400, "ModelArts.6347")

    body = sdk.NotebookCreateRequest(name="of-saved", **asked | {"image_id": saved.id})
    other = huawei.ask("create_notebook", body=body).id
    assert comes_to(huawei, other, "RUNNING").image.type == "DEDICATED"
    for one in (notebook, other):
        huawei.ask("delete_notebook", id=one)
    until(lambda: huawei.ask("list_notebooks", status="DELETED").total == 2, within=60, what="deleted notebooks")
    assert huawei.ask("list_notebooks").total == huawei.ask("list_all_notebooks").total == 0
    assert refused(huawei, "show_notebook", id=notebook) == (400, "ModelArts.6309")
    assert huawei.ask("delete_image", id=saved.id).status == "DELETED"
    assert refused(huawei, "show_image", id=saved.id) == (400, "ModelArts.6797")
    assert huawei.ask("delete_workspace", workspace_id=room).workspace_id == room


def test_a_directory_is_shown_to_a_notebook_while_it_runs(huawei: Sdk) -> None:
    notebook = made(huawei)
    running = comes_to(huawei, notebook, "RUNNING")
    asked = sdk.DataVolumesReq(category="OBS", uri="obs://shared/data", mount_path="/data/shared")
    code = "import os; os.makedirs('shared/data'); open('shared/data/a', 'w').write('there')"
    printed(running, f"import os; os.chdir(os.path.expanduser('~')); {code}")
    if os.geteuid():  # without root notebooks have no mounts of their own
        assert refused(huawei, "attach_dynamic_storage", instance_id=notebook, body=asked) == (400, "ModelArts.0101")
        return
    storage = huawei.ask("attach_dynamic_storage", instance_id=notebook, body=asked)
    assert (storage.status, storage.mount_path, storage.mount_type) == ("MOUNTING", "/data/shared", "DYNAMIC")
    one = {"instance_id": notebook, "storage_id": storage.id}
    until(lambda: huawei.ask("show_dynamic_storage", **one).status == "MOUNTED", within=30, what="a directory shown")
    assert printed(running, "print(open('/data/shared/a').read())") == "there"
    assert [found.uri for found in huawei.ask("list_dynamic_storages", instance_id=notebook).data] == [asked.uri]
    assert huawei.ask("detach_dynamic_storage", **one).status == "UNMOUNTING"
    until(lambda: not huawei.ask("list_dynamic_storages", instance_id=notebook).data, within=30, what="nothing shown")
    assert refused(huawei, "show_dynamic_storage", **one) == (400, "ModelArts.6404")
    huawei.ask("delete_notebook", id=notebook)


def test_a_client_finds_its_project_by_the_regions_name(site: Site, key: dict[str, str]) -> None:
    huawei = Sdk(site.server.url, key, region="trivium")
    assert huawei.ask("list_notebooks").total == 0
    groups = huawei.raw("list_image_group")
    assert {"id", "name", "namespace", "create_at", "update_at", "version_count", "description"} >= set(
        groups["data"][0]
    )
    assert {"id", "name", "namespace", "create_at", "update_at", "version_count"} <= set(groups["data"][0])
    image = huawei.ask("list_image", limit=1).data[0]
    assert huawei.ask("show_image", id=image.id).swr_path == image.swr_path


def test_an_image_that_is_here_is_registered_used_looked_at_and_deleted(
    site: Site, key: dict[str, str], tmp_path: Path
) -> None:
    huawei, scnet = Sdk(site.server.url, key), Scnet(tmp_path / "home", site.server, key)
    image = next(found for found in huawei.ask("list_image", type="BUILD_IN").data if found.name == "jupyterlab")
    told = {"swr_path": image.swr_path, "service_type": "TRAIN", "tags": ["env=prod"], "read_me": "# Use it"}
    body = sdk.ImageRegRequest(**told, description="ours", visibility="PUBLIC", services=["NOTEBOOK"])
    own = huawei.raw("register_image", body=body)
    assert (own["swr_path"], own["size"]) == (image.swr_path, image.size)
    assert (own["type"], own["status"]) == ("DEDICATED", "ACTIVE")
    assert (own["service_type"], own["origin"], own["visibility"]) == ("TRAIN", "CUSTOMIZE", "PUBLIC")
    assert (own["tags"], own["dev_services"]) == ([{"key": "env", "value": "prod"}], ["NOTEBOOK"])
    assert own["support_res_categories"] == own["resource_categories"] == image.resource_categories
    assert own["id"] != image.id
    assert refused(huawei, "register_image", body=body) == (400, "ModelArts.6737")
    for path, code in (("swr.example.com/team/other:1.0", "6797"), ("no-path-of-an-image", "0104")):
        elsewhere = sdk.ImageRegRequest(swr_path=path)
        assert refused(huawei, "register_image", body=elsewhere) == (400, f"ModelArts.{code}")
    assert [one.id for one in huawei.ask("list_image", type="DEDICATED").data] == [own["id"]]
    (seen,) = scnet.json("container", "images", "--access", "private")["data"]
    assert (seen["path"], seen["id"]) == (image.swr_path, own["id"].replace("-", ""))

    assert huawei.ask("sync_image", image_id=own["id"]).status == "ACTIVE"
    assert refused(huawei, "sync_image", image_id=image.id) == (403, "ModelArts.0108")

    volume = sdk.VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=10)
    asked = {"image_id": own["id"], "flavor": "modelarts.vm.cpu.1u", "volume": volume}
    notebook = huawei.ask("create_notebook", body=sdk.NotebookCreateRequest(name="of-own", **asked)).id
    running = comes_to(huawei, notebook, "RUNNING")
    assert (running.image.id, running.image.type) == (own["id"], "DEDICATED")

    groups = huawei.ask("list_image_group", type="DEDICATED")
    (group,) = groups.data
    assert (groups.is_swr_enterprise, group.version_count, group.read_me) == (False, 1, "# Use it")
    changed = sdk.UpdateImageGroupRequestBody(
        read_me="another", tags=[sdk.UpdateImageGroupRequestBodyTags(key="team", value="a")]
    )
    assert huawei.raw("update_image_group", id=group.id, body=changed) == {}
    assert huawei.ask("list_image_group", type="DEDICATED").data[0].read_me == "another"
    assert [tag.key for tag in huawei.ask("show_image", id=own["id"]).tags] == ["team"]
    operators = next(one for one in huawei.ask("list_image_group").data if one.id != group.id)
    assert refused(huawei, "delete_image_group", id=operators.id) == (403, "ModelArts.0108")

    without_content = sdk.DeleteImageGroupRequestBody(is_force=False)
    assert huawei.raw("delete_image_group", id=group.id, body=without_content) == {}
    assert refused(huawei, "show_image", id=own["id"]) == (400, "ModelArts.6797")
    assert refused(huawei, "update_image_group", id=group.id, body=changed) == (400, "ModelArts.6797")
    assert huawei.ask("list_image", type="DEDICATED").total == 0
    assert scnet.json("container", "images", "--access", "private")["data"] == []
    assert huawei.ask("show_notebook", id=notebook).status == "RUNNING"
    huawei.ask("delete_notebook", id=notebook)

    again = huawei.ask("register_image", body=body)
    assert again.status == "ACTIVE"
    assert {one["id"] for one in site.type("image", "list") if one["path"] == image.swr_path} == {
        one.id.replace("-", "") for one in (image, again)
    }
    command = [str(TRIVIUM), "image", "remove", again.id.replace("-", ""), "--data", str(site.data)]
    assert image.swr_path in subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert refused(huawei, "show_image", id=again.id) == (400, "ModelArts.6797")
    assert huawei.ask("show_image", id=image.id).status == "ACTIVE"


def test_who_is_not_who_they_say_gets_the_documented_error(site: Site, key: dict[str, str]) -> None:
    url = site.server.url
    wrong = refused(Sdk(url, key, secret_key="wrong"), "list_notebooks")
    unknown = refused(Sdk(url, key, access_key="NOBODYHASTHISKEY0000"), "list_notebooks")
    assert wrong == unknown == (401, "APIGW.0301")
    other = site.key(f"other-{key['user']}"[:60])
    foreign = Sdk(url, key, project_id=other["project_id"])
    assert refused(foreign, "list_notebooks") == (403, "ModelArts.0210")
    assert refused(Sdk(url, key), "list_notebooks", sort_key="token") == (400, "ModelArts.6303")
    site.type("user", "disable", key["user"])
    assert refused(Sdk(url, key), "list_notebooks") == (401, "APIGW.0301")
