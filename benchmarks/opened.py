"""A notebook of a real server, made as users make theirs: over SCNet's API, from an image with a command of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import psutil

from benchmarks import backend
from benchmarks.processes import Running, free_port, running, trivium
from trivium.base.values import Value
from trivium.dialects.scnet.auth import signature_of

T = TypeVar("T")
WITHIN: Final = 60.0  # seconds for a notebook to run


class Opened(Value, frozen=True, kw_only=True):
    """A notebook that runs, and how a browser that has entered asks for it."""

    id: str
    cookie: str
    proxy: Running  # the server, by the port of its proxy
    behind: int  # the port on which the notebook itself listens


class NeverRan(Exception):
    """The notebook did not come to run, or could not be entered."""


@contextlib.contextmanager
def opened(folder: Path) -> Generator[Opened]:
    """A server with one notebook that runs `backend`; both are gone afterwards. Raises `NeverRan`."""
    port, proxy_port = free_port(), free_port()
    data = ["--data", str(folder / "data")]
    command = trivium("server", "start", "--port", str(port), "--proxy-port", str(proxy_port), *data)
    with running(command, port, ready="/readyz", log=folder / "server.log") as server:
        image = _image(folder, data)
        api = Api(server, data)
        asked = {"clusterId": api.site, "acceleratorType": "CPU", "acceleratorNumber": "1", **image}
        id = api.ask("POST", "/ac/openapi/v2/notebook/actions/create", asked)["notebookId"]
        try:
            cookie = _cookie(_query(api, id), id, proxy_port)
            behind = int(_backends(folder)[0].cmdline()[-1])
            yield Opened(id=id, cookie=cookie, proxy=server.at(proxy_port), behind=behind)
        finally:
            api.ask("POST", "/ai/openapi/v2/notebook/actions/stop", {"notebookId": id})
            until(lambda: not _backends(folder), "the notebook does not end")
            _end_keeper(folder)


class Api:
    """SCNet's API, as a client of the administrator's uses it."""

    def __init__(self, server: Running, data: list[str]) -> None:
        self._port = server.port
        command = trivium("key", "create", "--user", "admin", "-o", "json", *data)
        key = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        now = str(int(time.time()))
        signature = signature_of(key["secret_key"], access_key=key["access_key"], timestamp=now, user=key["user"])
        signed = {"user": key["user"], "accessKey": key["access_key"], "timestamp": now, "signature": signature}
        regions = server.post("/api/user/v3/tokens", signed)["data"]
        region = next(region for region in regions if region["clusterId"] != "0")
        self.site = region["clusterId"]
        self._token = region["token"]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The data of one answer. Raises `NeverRan` for a refusal."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            headers = {"token": self._token, "Content-Type": "application/json"}
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            answer = json.loads(connection.getresponse().read())
        if answer["code"] != "0":
            raise NeverRan(f"{path}: {answer}")
        return answer["data"]


def _image(folder: Path, data: list[str]) -> dict[str, str]:
    """An environment with nothing but the backend in it, as an image of the operator's."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    program = shutil.copy(str(backend.__file__), environment / "backend.py")
    command = trivium("image", "add", "backend:1", "--path", str(environment), "--accelerator", "cpu", *data)
    command += ["--command", f"python {program} {{port}}", "-o", "json"]
    made = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {"imagePath": made["path"], "imageName": "backend:1"}


def _query(api: Api, id: str) -> str:
    """The query of the link that opens the notebook, once it runs."""

    def link() -> str:
        found = api.ask("GET", f"/ai/openapi/v2/notebook/url?notebookId={id}")
        return str(found["notebookUrl" if "notebookUrl" in found else "url"])

    return urlsplit(until(link, "the notebook does not come to run")).query


def _cookie(query: str, id: str, port: int) -> str:
    """What a browser keeps in place of the ticket."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", f"/nb/{id}/lab?{query}", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        given = answer.getheader("Set-Cookie", "")
    if not given:
        raise NeverRan(f"the ticket was not taken: {answer.status}")
    return given.partition(";")[0]


def _backends(folder: Path) -> list[psutil.Process]:
    program = str(folder / "environment" / "backend.py")
    return [one for one in psutil.process_iter(["cmdline"]) if program in (one.info["cmdline"] or [])]


def _end_keeper(folder: Path) -> None:
    """End what outlives a server, now that nothing runs in it."""
    data = str(folder / "data")
    for process in psutil.process_iter(["cmdline"]):
        if data in (process.info["cmdline"] or [])[-2:-1]:
            process.terminate()


def until(found: Callable[[], T], sentence: str) -> T:
    """What is found, once it is. Raises `NeverRan` with the sentence after a minute."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.1)
    raise NeverRan(sentence)
