"""How soon a notebook opens, and to its first executed cell: Trivium's, warm and cold, against a bare `jupyter lab`.

The same environment for all: the one that this runs in. Trivium's way is the user's: the call that creates the
notebook, `Running`, and requests through the proxy; warm with a warm parent of the image, cold with none
(`runtime.warm = 0s`).
Memory is the proportional share (PSS) of everything that one more notebook brings, kernels left out.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
from websockets.sync.client import connect

from benchmarks.opened import Api, NeverRan, until
from benchmarks.plan import Plan
from benchmarks.processes import free_port, running, trivium
from trivium.base.values import Value
from trivium.drivers.runtimes.process import run_directory

STEP: Final = 0.005  # seconds between two looks
WITHIN: Final = 120.0
TOKEN: Final = "a-token-for-the-bare-server"
QUIET: Final = 1.0  # seconds between two starts, in which what the former left has its end
PACKAGES: Final = ("jupyterlab", "jupyter_server", "ipykernel")
CALLS: Final = "/ai/openapi/v2/notebook"


class _Start(Value, frozen=True, kw_only=True):
    answered: float  # seconds to the first 200
    executed: float  # seconds to the output of the first cell
    memory: int  # bytes


class _Reached(Value, frozen=True, kw_only=True):
    port: int
    base: str
    token: str


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trivium-bench-")))
        folder.chmod(0o711)
        warm = stack.enter_context(_product(folder / "warm", "30m"))
        cold = stack.enter_context(_product(folder / "cold", "0s"))
        warm.start()  # plain, and after it the image has its parent
        until(lambda: _keeper(warm.data)["warm"], "there is no warm parent")
        ways: Mapping[str, Callable[[], _Start]] = {
            "bare": lambda: _bare(folder),
            "cold": cold.start,
            "warm": warm.start,
        }
        found: dict[str, list[_Start]] = {name: [] for name in ways}
        for number in range(plan.rounds + 1):  # the first is not counted: files come from the disk
            for name, start in ways.items():
                time.sleep(QUIET)
                measured = start()
                if number:
                    found[name].append(measured)
        _print(plan, found)


class _Product:
    """A server on which notebooks are created."""

    def __init__(self, data: Path, api: Api, proxy_port: int) -> None:
        self.data = data
        self._api = api
        self._port = proxy_port
        listed = subprocess.run(
            trivium("image", "list", "-o", "json", "--data", str(data)), capture_output=True, check=True
        )
        self._image = json.loads(listed.stdout)[0]

    def start(self) -> _Start:
        """Create a notebook, run a cell in it, and release it."""
        before = self._memory()
        began = time.perf_counter()
        asked = {
            "clusterId": self._api.site,
            "acceleratorType": "CPU",
            "acceleratorNumber": "1",
            "imagePath": self._image["path"],
            "imageName": self._image["path"].rpartition("/")[2],
        }
        id = str(self._api.ask("POST", "/ac/openapi/v2/notebook/actions/create", asked)["notebookId"])
        try:
            reached = self._reach(id)
            _await_answer(reached)
            answered = time.perf_counter() - began
            executed = _run_cell(reached) - began
            return _Start(answered=answered, executed=executed, memory=self._memory() - before)
        finally:
            self._api.ask("POST", f"{CALLS}/actions/stop", {"notebookId": id})
            until(lambda: not self._is_there(id), "the notebook does not stop")
            self._api.ask("POST", f"{CALLS}/actions/release", {"id": id})

    def _reach(self, id: str) -> _Reached:
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            found = self._api.ask("GET", f"{CALLS}/url?notebookId={id}")
            if link := found.get("notebookUrl") or found.get("url"):
                parts = urlsplit(str(link))
                token = parts.query.removeprefix("token=")
                return _Reached(port=self._port, base=parts.path.rpartition("lab")[0], token=token)
            time.sleep(STEP)
        raise NeverRan("the notebook does not come to run")

    def _is_there(self, id: str) -> bool:
        return self._api.ask("GET", f"{CALLS}/detail?notebookId={id}")["notebookStatus"] != "Terminated"

    def _memory(self) -> int:
        """What everything that the keeper has started holds, and the keeper itself."""
        return _memory_of(_keeper(self.data)["pid"])


@contextlib.contextmanager
def _product(data: Path, warm: str) -> Generator[_Product]:
    port, proxy_port = free_port(), free_port()
    options = ["--data", str(data)]
    command = ["env", f"TRIVIUM_RUNTIME__WARM={warm}"]
    command += trivium("server", "start", "--port", str(port), "--proxy-port", str(proxy_port), *options)
    log = data.with_suffix(".log")
    with running(command, port, ready="/readyz", log=log) as server:
        try:
            yield _Product(data, Api(server, options), proxy_port)
        finally:
            psutil.Process(_keeper(data)["pid"]).terminate()


def _bare(folder: Path) -> _Start:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    port = free_port()
    options = {"port": str(port), "root_dir": str(home), "allow_root": "True", "open_browser": "False"}
    command = [sys.executable, "-m", "jupyterlab", *(f"--ServerApp.{name}={value}" for name, value in options.items())]
    environment = {
        "PATH": f"{sys.prefix}/bin:{os.defpath}",
        "HOME": str(home),
        "JUPYTER_TOKEN": TOKEN,
        "LANG": "C.UTF-8",
    }
    began = time.perf_counter()
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home)
    try:
        reached = _Reached(port=port, base="/", token=TOKEN)
        _await_answer(reached)
        answered = time.perf_counter() - began
        executed = _run_cell(reached) - began
        return _Start(answered=answered, executed=executed, memory=_memory_of(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_answer(reached: _Reached) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if _ask(reached, "GET", "api/status")[0] == http.client.OK:
                return
        time.sleep(STEP)
    raise NeverRan("there is no answer")


def _run_cell(reached: _Reached) -> float:
    """When the first cell's output came; its kernel is ended after that."""
    status, kernel = _ask(reached, "POST", "api/kernels", {"name": "python3"})
    if status != http.client.CREATED:
        raise NeverRan(f"no kernel: {status}")
    id = json.loads(kernel)["id"]
    uri = f"ws://127.0.0.1:{reached.port}{reached.base}api/kernels/{id}/channels"
    asked = uuid.uuid4().hex
    header = {"msg_id": asked, "msg_type": "execute_request", "username": "", "session": asked, "version": "5.3"}
    content = {"code": "print(6 * 7)", "silent": False, "store_history": True, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    headers = {"Authorization": f"token {reached.token}"}
    with connect(uri, additional_headers=headers, open_timeout=WITHIN, max_size=None, compression=None) as channel:
        channel.send(json.dumps(message))
        while True:
            told = json.loads(channel.recv(timeout=WITHIN))
            if told["msg_type"] == "stream" and told["parent_header"].get("msg_id") == asked:
                came = time.perf_counter()
                break
    assert told["content"]["text"] == "42\n", told
    _ask(reached, "DELETE", f"api/kernels/{id}")
    time.sleep(QUIET)
    return came


def _ask(reached: _Reached, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", reached.port, timeout=30)) as connection:
        headers = {"Authorization": f"token {reached.token}", "Content-Type": "application/json"}
        connection.request(method, reached.base + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _keeper(data: Path) -> dict[str, Any]:
    """What the keeper says of itself."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(run_directory(data) / "keeper.sock"))
        connection.sendall(b'{"id": 1, "op": "hello"}\n')
        return json.loads(connection.makefile().readline())["ok"]


def _memory_of(root: int) -> int:
    """Bytes that a process and all below it hold: of what they share with others, their part."""
    held = 0
    for process in (psutil.Process(root), *psutil.Process(root).children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().pss
    return held


def _print(plan: Plan, found: Mapping[str, list[_Start]]) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"launch: from nothing to the first 200 and to the first cell's output, medians of {plan.rounds}")
    here = f"Python {platform.python_version()}, {psutil.cpu_count()} cores"
    print(f"      trivium {version('trivium')}, {packages}, {here}")
    print(f"      {'':6}{'first 200 ms':>14}{'(least–most)':>16}{'of bare':>9}{'cell ms':>9}{'of bare':>9}", end="")
    print(f"{'MiB':>7}{'of bare':>9}")
    bare = _Medians(found["bare"])
    for name, starts in found.items():
        times = [start.answered * 1000 for start in starts]
        span = f"({min(times):.0f}–{max(times):.0f})"
        one = _Medians(starts)
        print(
            f"      {name:6}{one.answered * 1000:>14.0f}{span:>16}{one.answered / bare.answered:>9.2f}"
            f"{one.executed * 1000:>9.0f}{one.executed / bare.executed:>9.2f}"
            f"{one.memory / 2**20:>7.0f}{one.memory / bare.memory:>9.2f}"
        )


class _Medians:
    def __init__(self, starts: list[_Start]) -> None:
        self.answered = statistics.median(start.answered for start in starts)
        self.executed = statistics.median(start.executed for start in starts)
        self.memory = statistics.median(start.memory for start in starts)
