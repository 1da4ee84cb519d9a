"""The calls that SCNet's own pages show, with our address and a token of ours: every field that they document is there.

Pages: 查询模型镜像列表 and 查询Notebook实例列表. Their curl and Python calls are run as they stand.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.flows.conftest import Scnet, Site
from tests.waiting import until

pytestmark = [pytest.mark.jupyter, pytest.mark.timeout(600)]

MODELS_CURL: Final = """\
curl --location '<Address>/ai/openapi/v2/image/models' \\
--header 'token: <Token>' \\
--header 'Content-Type: application/json' \\
--data '{
"page":1,
"size":1
}'"""

MODELS_PYTHON: Final = """\
import requests
import json
url = "<Address>/ai/openapi/v2/image/models"
payload = json.dumps({
"page": 1,
"size": 1
})
headers = {
"token": "<Token>",
"Content-Type": "application/json"
}
response = requests.request("POST", url, headers=headers, data=payload)
print(response.text)"""

NOTEBOOKS_CURL: Final = """\
curl --location '<Address>/ai/openapi/v2/notebook/list' \\
--header 'token: <Token>'"""

NOTEBOOKS_PYTHON: Final = """\
import requests
url = "<Address>/ai/openapi/v2/notebook/list"
payload = {}
headers = {
"token": "<Token>"
}
response = requests.request("GET", url, headers=headers, data=payload)
print(response.text)"""

Check = Callable[[Any], bool]


def text(pattern: str = r"(?s).+") -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def optional(pattern: str = r"(?s).*") -> Check:
    return lambda value: value is None or text(pattern)(value)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TIME: Final = text(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")

MODEL_IMAGE: Final[Mapping[str, Check]] = {
    "id": text(r"[0-9a-f]{32}"),
    "imageId": text(r"sha256:[0-9a-f]{64}"),
    "tag": text(),
    "description": text(),
    "createTime": TIME,
    "acceleratorType": text(r"cpu|gpu|dcu|mlu|npu"),
    "path": text(r"[^/]+/[a-z]+/[^/]+/base/[^/:]+:[^/:]+"),
    "version": text(r"[^/:]+:[^/:]+"),
    "status": text("Completed"),
    "imageSize": text(r"\d+"),
}

NOTEBOOK: Final[Mapping[str, Check]] = {
    "id": text(r"\d{19}"),
    "notebookName": text(r"\d{16}"),
    "notebookStatus": text("Creating|Restarting|Running|Terminated|Failed|Shutting"),
    "imageName": text(r"[^/:]+:[^/:]+"),
    "imagePath": text(r"[^/]+/[a-z]+/[^/]+/base/[^/:]+:[^/:]+"),
    "iamgePath": text(r"[^/]+/[a-z]+/[^/]+/base/[^/:]+:[^/:]+"),
    "cpuNumber": text(r"\d+核心"),
    "acceleratorType": text("cpu"),
    "acceleratorNumber": whole,
    "resourceGroupCode": text(),
    "acceleratorMode": text(),
    "ramSize": text(r"\d+(\.\d)?GB"),
    "imageSize": text(r"\d+"),
    "createTime": TIME,
    "releaseTime": optional(r"\d+天\d+小时\d+分钟"),
    "updateTime": TIME,
    "progress": lambda value: value is None or whole(value),
    "startType": text("normal"),
    "maxTimeout": optional(),
    "sshPassword": optional(),
    "serviceIp": optional(),
    "serviceUrl": optional(),
    "sshUrl": optional(),
    "taskId": text(r"\d{19}"),
    "enoughResource": lambda value: isinstance(value, bool),
    "containerId": optional(r"[0-9a-f]{64}"),
    "resourceGroupId": text(r"\d+"),
    "containerType": optional(),
    "maxNumber": whole,
    "freeNumber": whole,
    "node": optional(),
    "command": optional(),
    "customizePort": optional(r"\d+"),
    "customsizePort": optional(r"\d+"),
    "errorMessage": optional(),
    "message": optional(),
}
"""Every field of the page's table and of its example."""


class Reader:
    """Somebody who tries what the pages show."""

    def __init__(self, site: Site, scnet: Scnet) -> None:
        self.scnet = scnet
        self._address = site.server.url
        self.token = next(token["token"] for token in scnet.json("auth", "login") if token["clusterId"] != "0")

    def curl(self, call: str, token: str | None = None) -> dict[str, Any]:
        """Run it in a shell."""
        return self._answer(["/bin/sh", "-c", self._ours(call, token).replace("curl", "curl --silent --fail", 1)])

    def python(self, call: str, token: str | None = None) -> dict[str, Any]:
        """Run it with Python."""
        return self._answer([sys.executable, "-c", self._ours(call, token)])

    def _ours(self, call: str, token: str | None) -> str:
        return call.replace("<Address>", self._address).replace("<Token>", token or self.token)

    def _answer(self, command: list[str]) -> dict[str, Any]:
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def reader(site: Site, tmp_path: Path) -> Reader:
    return Reader(site, Scnet(tmp_path / "home", site.server, site.key(f"reader-{tmp_path.name}"[:60])))


@pytest.fixture
def notebook(reader: Reader) -> Any:
    """A notebook of the reader's, as it is made, gone in the end."""
    scnet = reader.scnet
    image = scnet.json("notebook", "model-images")["records"][0]
    cluster = next(token["clusterId"] for token in scnet.json("auth", "login") if token["clusterId"] != "0")
    group = scnet.json("notebook", "resources", "--clusters", cluster)[0]["resourceGroupCode"]
    words = ("--image", image["path"], "--image-name", image["version"], "--accelerator", "CPU", "--group", group)
    scnet.run("notebook", "create", "--cluster", cluster, *words)
    (made,) = scnet.notebooks()
    yield made
    scnet.comes_to(made, "Running")
    scnet.run("notebook", "release", "-y", made)
    until(lambda: not scnet.notebooks(), what="the end of the notebook")


def wrong(record: Mapping[str, Any], documented: Mapping[str, Check]) -> dict[str, Any]:
    """What of the record is not as documented: fields that lack, and values of another form."""
    assert record.keys() == documented.keys()
    return {name: record[name] for name, is_right in documented.items() if not is_right(record[name])}


@pytest.mark.parametrize("way", ["curl", "python"])
def test_the_call_for_model_images_is_answered_as_its_page_says(reader: Reader, way: str) -> None:
    answer = reader.curl(MODELS_CURL) if way == "curl" else reader.python(MODELS_PYTHON)
    assert (answer["code"], answer["msg"], answer.keys()) == ("0", "success", {"code", "msg", "data"})
    assert answer["data"].keys() == {"records", "total"}
    assert whole(answer["data"]["total"])
    (image,) = answer["data"]["records"]
    assert wrong(image, MODEL_IMAGE) == {}
    assert image["version"].endswith(f":{image['tag']}")


def test_the_call_for_notebooks_is_answered_as_its_page_says(reader: Reader, notebook: str) -> None:
    for answer in (reader.curl(NOTEBOOKS_CURL), reader.python(NOTEBOOKS_PYTHON)):
        assert (answer["code"], answer["msg"], answer.keys()) == ("0", "success", {"code", "msg", "data"})
        assert answer["data"].keys() == {"records", "total"}
        assert answer["data"]["total"] == 1
        (record,) = answer["data"]["records"]
        assert wrong(record, NOTEBOOK) == {}
        assert record["id"] == notebook


@pytest.mark.parametrize("call", [MODELS_CURL, NOTEBOOKS_CURL], ids=["images", "notebooks"])
def test_a_token_that_is_none_is_answered_with_the_code_of_the_page(reader: Reader, call: str) -> None:
    answer = reader.curl(call, token="eyJhbGciOiJIUzI1N...")
    assert answer == {"code": "10008", "msg": "auth_fail", "data": "token is invalid"}
