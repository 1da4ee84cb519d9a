"""A real JupyterLab behind the proxy: its page opens from a link, and a cell runs in its kernel."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.contract.proxy.world import JUPYTER, TOKEN, Rooms
from tests.waiting import until_async
from trivium.resources.notebooks.ports import Address
from trivium.server.proxy import Proxy

pytestmark = [
    pytest.mark.jupyter,
    pytest.mark.asyncio(loop_factories=["uvloop"]),
]
NAVIGATION = {"Accept": "text/html"}


@pytest_asyncio.fixture
async def lab(rooms: Rooms, short_path: Path, tmp_path: Path) -> AsyncIterator[None]:
    """JupyterLab on a unix socket, as notebook 7."""
    socket = short_path / "s"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.sock={socket}"),
        *("--ServerApp.base_url=/nb/7/", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path}"),
    ]
    own = {"HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(tmp_path / "ipython")}
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=keep | own, stdout=log, stderr=log)
    rooms.addresses[JUPYTER] = Address(socket=socket)
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)


@pytest.mark.usefixtures("lab")
async def test_a_cell_runs_through_the_proxy(running: tuple[Proxy, int]) -> None:
    origin = f"http://127.0.0.1:{running[1]}"
    async with httpx.AsyncClient(base_url=origin, trust_env=False, timeout=30) as browser:

        async def answers() -> bool:
            return (await browser.get("/nb/7/api/status", headers={"Authorization": "token key"})).status_code == 200

        await until_async(answers, within=90, what="JupyterLab answers")
        entered = await browser.get("/nb/7/lab?token=ticket", headers=NAVIGATION)
        assert (entered.status_code, entered.headers["location"]) == (302, "/nb/7/lab")
        page = await browser.get("/nb/7/lab", headers=NAVIGATION)
        assert page.status_code == 200
        assert "jupyter-config-data" in page.text
        # JupyterLab's page may show its scripts Jupyter's own token, and they send it along; it opens nothing.
        known = {"Authorization": f"token {TOKEN}"}
        assert (await browser.get("/nb/7/api/status", headers=known)).status_code == 200
        assert (await browser.get("/nb/7/api/status", headers=known | {"Cookie": ""})).status_code == 401
        forged = await browser.post("/nb/7/api/kernels", json={}, headers={"Origin": "http://evil.example"})
        assert forged.status_code == 403
        kernel = await browser.post("/nb/7/api/kernels", json={}, headers={"Origin": origin})
        assert kernel.status_code == 201
        cookie = f"trivium-nb-7={browser.cookies['trivium-nb-7']}"
        channels = f"ws{origin[4:]}/nb/7/api/kernels/{kernel.json()['id']}/channels?session_id=s1&token={TOKEN}"
        async with connect(channels, additional_headers={"Cookie": cookie}, origin=origin) as socket:  # type: ignore[arg-type]
            await socket.send(json.dumps(request("print(6 * 7)")))
            assert await printed(socket) == "42\n"
        put = await browser.put("/nb/7/api/contents/x.txt", json={"type": "file", "format": "text", "content": "hi"})
        assert put.status_code == 201
        assert (await browser.get("/nb/7/files/x.txt")).text == "hi"
        assert [name for name in browser.cookies if name.startswith("trivium")] == ["trivium-nb-7"]


def request(code: str) -> dict[str, Any]:
    """An `execute_request` of Jupyter's messaging protocol."""
    header = {"msg_id": "m1", "msg_type": "execute_request", "session": "s1", "username": "", "version": "5.4"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


async def printed(socket: Any) -> str:
    """The first text that the cell prints."""
    async for raw in socket:
        message = json.loads(raw)
        if message["header"]["msg_type"] == "stream":
            return message["content"]["text"]
    pytest.fail("the WebSocket ended before the cell printed")
