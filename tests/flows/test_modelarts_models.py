"""Models over ModelArts' API, signed by Huawei's own signer, beside ZStack's: either sees what the other made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Site
from tests.flows.signed import Signed
from tests.flows.zstack import Door, put_model, zstack
from tests.huawei import Sdk
from tests.serving import Server
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)


class Models(Signed):
    """The models of somebody's project."""

    def __init__(self, server: Server, key: dict[str, str]) -> None:
        super().__init__(server, key, "/v1/{project_id}/models")

    def comes_to(self, model: str, status: str) -> dict[str, Any]:
        """The model once it has that status, asked for as Terraform does."""

        def found() -> dict[str, Any] | None:
            now = self.said("GET", f"/{model}")
            assert now["model_status"] in (status, "publishing", "building"), now
            return now if now["model_status"] == status else None

        there = until(found, within=60, what=f"a model that is {status}")
        assert there is not None
        return there


def made(models: Models, name: str, place: Path | str, **more: Any) -> str:
    """The id of a new model."""
    body = {"model_name": name, "model_version": "1.0.0", "model_type": "PyTorch", "source_location": str(place)}
    return models.said("POST", body=body | more)["model_id"]


def test_models_of_files_are_published_and_seen_by_both(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("ours", "theirs"):
        put_model(data / "models" / name)
    (data / "models" / "broken").mkdir()
    (data / "models" / "broken" / "model.safetensors").write_bytes(b"\xff" * 64)
    with zstack(data) as (server, door):
        key = Site(server, data).type("key", "create", "--user", "admin")
        models = Models(server, key)
        ours = made(models, "digits", data / "models" / "ours", description="of people")
        shown = models.comes_to(ours, "published")
        assert (shown["model_algorithm"], shown["description"]) == ("LlamaForCausalLM", "of people")
        assert shown["model_size"] > 64 * 32 * 2
        again = models.ask("POST", body={key: shown[key] for key in ("model_name", "model_version", "model_type")})
        assert (again.status_code, again.json()["error_code"]) == (400, "ModelArts.3036")

        broken = made(models, "broken", data / "models" / "broken")
        assert "model.safetensors" in models.comes_to(broken, "failed")["extra"]
        (failed,) = models.said("GET", f"/{broken}/events", event_type="abnormal")["events"]
        assert failed["event_info"] == models.said("GET", f"/{broken}")["extra"]
        told = models.said("GET", f"/{ours}/events", order="asc")
        assert (told["model_name"], told["total_count"], told["count"]) == ("digits", 3, 3)
        assert "published" in told["events"][-1]["event_info"]
        assert models.said("GET", model_status="failed")["models"][0]["model_id"] == broken

        image = Sdk(server.url, key).ask("list_image", type="BUILD_IN").data[0]
        served = made(models, "served", image.swr_path, model_type="Image")
        assert models.comes_to(served, "published")["image_address"] == image.swr_path
        assert models.said("GET", model_type="Image")["count"] == 1
        (seen,) = door.query(f"/ai/models/{served.replace('-', '')}")
        assert (seen.get("modelCenterUuid"), seen["installPath"]) == (None, image.swr_path)

        theirs = added(door, "llama", str(data / "models"))
        listed = models.said("GET", sort_by="create_at", order="asc", limit=2)
        assert (listed["total_count"], listed["count"]) == (4, 2)
        last = models.said("GET", sort_by="create_at", order="asc", limit=2, offset=1)["models"][1]
        assert (last["model_id"].replace("-", ""), last["model_type"]) == (theirs, "PyTorch")
        assert (last["model_version"], last["model_size"]) == ("2.1.0", shown["model_size"])

        (seen,) = door.query(f"/ai/models/{ours.replace('-', '')}")
        assert (seen["name"], seen["version"], seen["architectureType"]) == ("digits", "1.0.0", "LlamaForCausalLM")
        done = models.said("DELETE", f"/{last['model_id']}", cascade="true")
        assert done == {"delete_success_list": [last["model_id"]], "delete_failed_list": []}
        assert door.query(f"/ai/models/{theirs}") == []
        assert models.ask("GET", f"/{last['model_id']}").json()["error_code"] == "ModelArts.3001"


def added(door: Door, name: str, root: str) -> str:
    """The uuid of a model that ZStack's administrator added to the centre of a root."""
    (center,) = [one for one in door.query("/ai/model-centers") if one["url"] == root]
    asked = {"name": name, "installPath": "theirs", "modelCenterUuid": center["uuid"], "version": "v2.1"}
    return door.do("POST", "/ai/models", json={"param": asked})["inventory"]["uuid"]
