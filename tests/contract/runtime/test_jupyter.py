"""A real JupyterLab over the process runtime: its token, its kernel, and `%pip install` in it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import unix_connect

from tests.contract.runtime.test_layers import make_wheel
from tests.contract.runtime.world import World, site
from trivium.resources.notebooks.ports import Address, Environment, LaunchKey

HERE = Path(sys.prefix)


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


def ask(address: Address, method: str, path: str, *, token: str | None, body: Any = None) -> tuple[int, Any]:
    connection = OverSocket(str(address.socket))
    headers = {} if token is None else {"Authorization": f"token {token}"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text


async def run_cell(address: Address, kernel: str, code: str, *, typed: str | None = None) -> str:
    """What a cell prints in a kernel; `typed` is what it is answered when it asks."""
    session, message = uuid.uuid4().hex, uuid.uuid4().hex
    header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": session, "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": True, "stop_on_error": True}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    uri = f"ws://localhost/nb/1/api/kernels/{kernel}/channels?session_id={session}"
    said = ""
    async with unix_connect(
        str(address.socket), uri, additional_headers={"Authorization": "token s3cret"}, max_size=None
    ) as connection:
        await connection.send(json.dumps(request))
        async for text in connection:
            told = json.loads(text)
            if told["parent_header"].get("msg_id") != message:
                continue
            if told["msg_type"] == "stream":
                said += told["content"]["text"]
            if told["msg_type"] == "input_request":
                reply = {**request, "header": {**header, "msg_id": uuid.uuid4().hex, "msg_type": "input_reply"}}
                await connection.send(json.dumps({**reply, "content": {"value": typed}, "channel": "stdin"}))
            if told["msg_type"] == "error":
                said += "\n".join(told["content"]["traceback"])
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                break
    return said


@pytest.mark.jupyter
async def test_jupyterlab_demands_its_token_and_its_kernel_installs_into_the_layer(world: World) -> None:
    pytest.importorskip("jupyterlab")
    spec = world.spec(environment=Environment(path=HERE), memory=1 << 30)
    await world.started(spec)
    wheel = make_wheel(world.data / "homes/7")
    address = (await world.runtime.observe([spec.key]))[spec.key].address
    assert address is not None
    assert "s3cret" not in " ".join(world.main(spec.key).cmdline())
    assert (await asyncio.to_thread(ask, address, "GET", "/nb/1/api/contents", token=None))[0] == 403
    assert (await asyncio.to_thread(ask, address, "GET", "/nb/1/api/contents", token="wrong"))[0] == 403
    assert (await asyncio.to_thread(ask, address, "GET", "/nb/1/lab", token="s3cret"))[0] == 200
    status, kernel = await asyncio.to_thread(
        ask, address, "POST", "/nb/1/api/kernels", token="s3cret", body={"name": "python3"}
    )
    assert status == 201
    venv = world.data / "layers" / str(spec.key.launch) / "venv"
    assert (await run_cell(address, kernel["id"], "import sys; print(sys.prefix)")).strip() == str(venv)
    said = await run_cell(address, kernel["id"], f"%pip install --no-index --no-deps {wheel}")
    assert "Successfully installed greeting-1.0" in said
    assert (site(venv) / "greeting.py").exists()
    said = await run_cell(address, kernel["id"], "import greeting; print(greeting.WORD)\n!greet")
    assert said.splitlines()[-2:] == ["from a wheel", "from a wheel"]
    ended = await world.stopped(spec.key, grace=15)
    assert ended.code == 0

    saved = await world.runtime.save(spec.key, "a" * 32)
    new = world.spec(
        key=LaunchKey(launch=77, generation=1),
        environment=Environment(path=HERE, layers=(saved.path,)),
        memory=1 << 30,
    )
    await world.started(new)
    done = await world.shell(new.key, "greet; python -m pip list --format=freeze 2>/dev/null | grep greeting")
    assert done.splitlines() == ["from a wheel", "greeting==1.0"]
