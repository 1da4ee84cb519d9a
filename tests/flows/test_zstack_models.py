"""A model's life on a server as an operator starts it, over both of ZStack's doors, with a restart in between."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.flows.zstack import put_model, zstack

pytestmark = pytest.mark.timeout(300)


def test_a_model_is_added_read_bound_found_and_deleted_with_a_restart_in_between(tmp_path: Path) -> None:
    data = tmp_path / "data"
    put_model(data / "models" / "center" / "llama")
    with zstack(data) as (server, door):
        new = {
            "name": "central",
            "url": str(data / "models" / "center"),
            "managementIp": "10.0.0.5",
            "managementPort": 5,
        }
        center = door.do("POST", "/ai/model-centers", json={"param": new})["inventory"]["uuid"]
        job, uuid = uuid4().hex, uuid4().hex
        asked = {"name": "llama-3-8b", "installPath": "llama", "modelCenterUuid": center, "resourceUuid": uuid}
        taken = door.ask("POST", "/ai/models", json={"param": asked}, headers={"X-Job-UUID": job})
        assert taken.json()["location"] == f"{server.url}/zstack/v1/api-jobs/{job}"
        status, body = door.outcome(taken.json()["location"])
        made = body["inventory"]
        assert (status, made["uuid"], made["architectureType"]) == (200, uuid, "LlamaForCausalLM")
        assert made["artifactSizeBytes"] == made["size"] > 64 * 32 * 2
        assert len(made["artifactChecksum"]) == 64
        again = door.ask("POST", "/ai/models", json={"param": asked}, headers={"X-Job-UUID": job})
        assert (again.status_code, job in again.json()["error"]["details"]) == (400, True)
    with zstack(data) as (_, door):
        status, body = door.outcome(f"{door.url}/zstack/v1/api-jobs/{job}")
        assert (status, body["inventory"]["name"]) == (200, "llama-3-8b")
        service = {
            "name": "vllm",
            "yaml": "run: me",
            "modelCenterUuid": center,
            "requestCpu": 2,
            "requestMemory": 1 << 30,
        }
        service |= {"installPath": "serving", "startCommand": "serve", "framework": "vLLM"}
        bound = door.call("AddModelService", service)["inventory"]["uuid"]
        shown = door.do("POST", f"/ai/models/{uuid}/model-services/{bound}", json={"param": {}})["inventory"]
        assert [ref["modelUuid"] for ref in shown["modelServiceRefs"]] == [uuid]
        found = door.query("/ai/models?q=modelService.framework=vllm&q=modelCenter.name~=cen%&fields=name,uuid")
        assert found == [{"uuid": uuid, "name": "llama-3-8b"}]
        assert door.query("/ai/model-centers")[-1]["capacity"]["modelUsedCapacity"] == made["artifactSizeBytes"]
        changed = door.call("UpdateModel", {"uuid": uuid, "vendor": "Meta", "recommendedGpuNum": "[1,2]"})
        assert changed["inventory"]["recommendedGpuNum"] == [1, 2]
        assert door.job("DELETE", f"/ai/models/{uuid}")[1]["error"]["code"] == "SYS.1006"
        assert door.do("DELETE", f"/ai/models/{uuid}?deleteMode=Enforcing") == {"success": True}
        assert door.query(f"/ai/models/{uuid}") == []
        assert (data / "models" / "center" / "llama" / "model.safetensors").exists()


def test_a_model_whose_files_are_not_there_fails_and_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with zstack(data) as (_, door):
        (center,) = [one for one in door.query("/ai/model-centers") if one["url"] == str(data / "models")]
        asked = {"name": "gone", "installPath": "nowhere", "modelCenterUuid": center["uuid"]}
        status, body = door.job("POST", "/ai/models", json={"param": asked})
        assert (status, body["error"]["code"]) == (503, "SYS.1006")
        assert "nowhere" in body["error"]["details"]
        assert door.query("/ai/models") == []
