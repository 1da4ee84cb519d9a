"""Between what SCNet says of notebooks and what the notebooks room says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from tests.builders import site_at
from trivium.base.caller import Caller, Role
from trivium.base.errors import Invalid, Missing
from trivium.base.query import Condition, Offset, Op
from trivium.base.reasons import Reason
from trivium.base.units import GIB
from trivium.dialects.scnet.errors import OtherRegion
from trivium.dialects.scnet.notebooks.shapes import CreateBody, IdBody, ListQuery, MountShape
from trivium.dialects.scnet.notebooks.translation import (
    list_query,
    may_grow,
    named,
    notebook_record,
    notebook_shape,
    spec_of,
)
from trivium.dialects.scnet.statuses import MEANT, SHOWN
from trivium.resources.nodes import Availability
from trivium.resources.notebooks import BadMount, Found, Notebook, Resources, Status, Wanted
from trivium.resources.notebooks.ports import Mount

NOW = datetime(2025, 3, 2, 4, 10, 20, tzinfo=UTC)
SITE = site_at(Path("/srv/homes"))
ALICE = Caller(user=7, user_name="alice", project=8, role=Role.MEMBER)
ROOM = Availability(most=8, free=5)
PLACE = (1, "dcu")
THERE: Mapping[tuple[int, str], Availability] = {PLACE: ROOM}

DOCUMENTED = {
    *("id", "notebookName", "notebookStatus", "imageName", "imagePath", "iamgePath", "cpuNumber", "acceleratorType"),
    *("acceleratorNumber", "resourceGroupCode", "acceleratorMode", "ramSize", "imageSize", "createTime", "releaseTime"),
    *("updateTime", "progress", "startType", "maxTimeout", "sshPassword", "serviceIp", "serviceUrl", "sshUrl"),
    *("taskId", "enoughResource", "containerId", "resourceGroupId", "containerType", "maxNumber", "freeNumber", "node"),
    *("command", "customizePort", "customsizePort", "errorMessage", "message"),
}
"""The fields of the documents' table and of their example together."""


def notebook(**changed: Any) -> Notebook:
    told: dict[str, Any] = {
        "id": 1896050410550136833,
        "uuid": uuid4(),
        "project": 8,
        "owner": 7,
        "owner_name": "alice",
        "name": "demo",
        "wanted": Wanted.RUNNING,
        "found": Found.RUNNING,
        "status": Status.RUNNING,
        "reason": None,
        "progress": None,
        "generation": 1,
        "pool": 1,
        "pool_name": "group",
        "pool_short": 15,
        "node": 1,
        "node_address": "192.0.2.1",
        "resources": Resources(kind="dcu", count=3, model="DCU", millicores=24_000, memory=110 * GIB),
        "image": 1,
        "image_path": "registry.test/dcu/admin/base/jupyterlab:1",
        "image_version": "jupyterlab:1",
        "image_size": 43726906378,
        "mount_home": True,
        "mounts": (),
        "start_command": None,
        "service_command": None,
        "service_port": None,
        "service_seen": False,
        "workload": "ab" * 32,
        "operation": 1896050410558525441,
        "save_as": None,
        "losses": 0,
        "max_running": None,
        "release_after": None,
        "created_at": NOW,
        "changed_at": NOW + timedelta(seconds=31),
        "started_at": NOW,
        "stopped_at": None,
        "release_at": None,
        "deleted_at": None,
    }
    return Notebook(**(told | changed))


def shown(**changed: Any) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(notebook_shape(notebook(**changed), ROOM, NOW)))


def test_every_field_of_the_documents_is_there_and_no_other() -> None:
    assert shown().keys() == DOCUMENTED


def test_a_notebook_is_shown_as_the_documents_show_one() -> None:
    record = shown(service_port=1223, service_command="python serve.py")
    assert {name: record[name] for name in ("id", "taskId", "cpuNumber", "ramSize", "imageSize")} == {
        "id": "1896050410550136833",
        "taskId": "1896050410558525441",
        "cpuNumber": "24核心",
        "ramSize": "110GB",
        "imageSize": "43726906378",
    }
    assert (record["createTime"], record["updateTime"]) == ("2025-03-02 12:10:20", "2025-03-02 12:10:51")
    assert (record["customizePort"], record["customsizePort"], record["command"]) == ("1223", "1223", "python serve.py")
    assert (record["resourceGroupId"], record["maxNumber"], record["freeNumber"]) == ("15", 8, 5)
    assert record["imagePath"] == record["iamgePath"]


@pytest.mark.parametrize("status", [status for status in Status if status in SHOWN])
def test_every_status_that_is_listed_has_a_word_that_means_it(status: Status) -> None:
    assert status.value in MEANT[shown(status=status)["notebookStatus"]]


def test_what_is_being_released_has_no_word() -> None:
    assert set(Status) - set(SHOWN) == {Status.DELETING, Status.DELETED}


def test_the_time_until_its_release_is_counted_down() -> None:
    at = NOW + timedelta(days=28, hours=20, minutes=17)
    assert shown(status=Status.STOPPED, release_at=at)["releaseTime"] == "28天20小时17分钟"


def test_progress_is_told_only_while_it_is_made() -> None:
    assert shown(status=Status.CREATING, progress=40)["progress"] == 40
    assert shown(status=Status.STARTING, progress=40)["progress"] is None


def test_why_it_failed_is_told_only_when_it_failed() -> None:
    reason = Reason(code="notebook.ended.exited", details={"code": "3", "detail": "no module"})
    failed = shown(status=Status.FAILED, reason=reason)
    assert failed["errorMessage"] == failed["message"] == "Notebook 自行退出(状态码 3):no module"
    assert shown(status=Status.STARTING, reason=reason)["errorMessage"] is None


def test_why_it_was_not_saved_is_told_when_it_is_stopped() -> None:
    stopped = shown(status=Status.STOPPED, reason=Reason(code="image.save_failed", details={"detail": "no space"}))
    assert stopped["errorMessage"] == stopped["message"] == "环境保存为镜像失败:no space"
    assert shown(status=Status.STOPPED)["errorMessage"] is None


def test_the_limit_on_running_is_told() -> None:
    assert shown(max_running=timedelta(hours=72))["maxTimeout"] == "72:00:00"


@pytest.mark.parametrize(("free", "enough"), [(2, False), (3, True)])
def test_resources_are_enough_when_a_start_would_fit(free: int, *, enough: bool) -> None:
    record = notebook_shape(notebook(), Availability(most=8, free=free), NOW)
    assert record.enough_resource is enough


@pytest.mark.parametrize(
    "left", [timedelta(0), timedelta(seconds=59), timedelta(minutes=1), timedelta(days=2, seconds=61)]
)
def test_the_text_of_a_record_is_good_until_its_countdown_goes_on(left: timedelta) -> None:
    shown = notebook(release_at=NOW + left)
    record = notebook_record(shown, THERE, NOW)
    assert record.holds(NOW, THERE)
    for seconds in range(200):
        later = NOW + timedelta(seconds=seconds)
        same = bytes(notebook_record(shown, THERE, later).text) == bytes(record.text)
        assert record.holds(later, THERE) is same


def test_the_text_of_a_record_is_good_while_its_group_has_as_much() -> None:
    record = notebook_record(notebook(), THERE, NOW)
    assert record.holds(NOW, {PLACE: Availability(most=8, free=5)})
    assert not record.holds(NOW, {PLACE: Availability(most=8, free=4)})
    assert not record.holds(NOW - timedelta(seconds=1), THERE)


def test_a_list_is_asked_by_name_and_status() -> None:
    asked = list_query(ListQuery(notebook_name="ab", notebook_status="Running", size="5", page="3"))
    assert asked.page == Offset(limit=5, offset=10)
    assert asked.where == (
        Condition(field="status", op=Op.IN, value=("running", "saving")),
        Condition(field="name", op=Op.CONTAINS, value="ab"),
    )


def test_a_list_whose_cost_may_grow_is_known() -> None:
    assert not may_grow(list_query(ListQuery(notebook_status="Failed")))
    assert may_grow(list_query(ListQuery(notebook_name="a")))
    assert not may_grow(list_query(ListQuery(page="5000")))


def test_either_name_of_the_id_is_understood() -> None:
    assert named(IdBody(notebook_id="12"), "id") == named(IdBody(id="12"), "id") == 12
    with pytest.raises(Missing, match="missing"):
        named(IdBody(notebook_id="", id=None), "id")


def body(**changed: Any) -> CreateBody:
    told: dict[str, Any] = {
        "cluster_id": str(SITE.id),
        "image_path": "registry.test/cpu/admin/base/a:1",
        "image_name": "a:1",
        "accelerator_type": "GPU",
        "accelerator_number": "2",
    }
    return CreateBody(**(told | changed))


def test_what_is_asked_for_is_read() -> None:
    spec = spec_of(body(mount_home="false", start_command="", resource_group_code=""), SITE, ALICE)
    assert (spec.kind, spec.count, spec.mount_home, spec.start_command, spec.pool) == ("gpu", 2, False, None, None)


def test_a_home_is_mounted_unless_it_is_said_otherwise() -> None:
    assert spec_of(body(), SITE, ALICE).mount_home is True


@pytest.mark.parametrize("source", ["/srv/homes/7/data/set", "~/data/set", "data/set"])
def test_a_mounts_source_may_be_written_from_the_home_on(source: str) -> None:
    asked = body(mount_info=(MountShape(source_path=source, target_path="/data"),))
    assert spec_of(asked, SITE, ALICE).mounts == (Mount(source="data/set", target="/data", writable=False),)


@pytest.mark.parametrize("source", ["/etc", "/srv/homes/70/data", "/data"])
def test_a_mounts_source_that_is_an_absolute_path_outside_the_home_is_refused_at_once(source: str) -> None:
    with pytest.raises(BadMount):
        spec_of(body(mount_info=(MountShape(source_path=source, target_path="/data"),)), SITE, ALICE)


@pytest.mark.parametrize("source", ["/srv/homes/7", "/srv/homes/7/", "~", "~/"])
def test_a_mounts_source_that_is_the_home_itself_names_no_directory_in_it(source: str) -> None:
    asked = body(mount_info=(MountShape(source_path=source, target_path="/data"),))
    assert spec_of(asked, SITE, ALICE).mounts[0].source == ""


def test_a_mount_may_be_written_to_only_where_that_is_asked_for() -> None:
    written = MountShape(source_path="a", target_path="/a", permission="RW")
    assert spec_of(body(mount_info=(written,)), SITE, ALICE).mounts[0].writable
    with pytest.raises(Invalid):
        spec_of(body(mount_info=(MountShape(source_path="a", target_path="/a", permission="x"),)), SITE, ALICE)


def test_another_region_is_refused() -> None:
    with pytest.raises(OtherRegion):
        spec_of(body(cluster_id="1"), SITE, ALICE)
