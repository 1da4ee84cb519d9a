"""Several servers on one database, started as an operator starts them, and a user who asks now one, now another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import websocket

from tests.crash.machine import free_port
from tests.crash.scnet import Answer, User, Visitor
from tests.crash.server import Site
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TAKES_OVER = 15.0  # seconds that the product has


class Servers:
    """Sites with one server each, on one database; the first one's operator made the user and the image."""

    def __init__(self, sites: list[Site], users: list[User], image: str) -> None:
        self.sites = sites
        self.users = users  # the same person, at each server
        self.image = image
        self.visitor = Visitor()

    def create(self, at: int, **more: Any) -> str:
        """The id of a new notebook that was asked of one of the servers."""
        answer = self.ask(at, **more)
        assert answer.ok, answer
        return answer.data["notebookId"]

    def ask(self, at: int, **more: Any) -> Answer:
        """Ask one of the servers for a notebook with one card."""
        user = self.users[at]
        body = {"imagePath": self.image, "imageName": "small", "acceleratorType": "dcu", "acceleratorNumber": 1}
        return user.platform("create", clusterId=user.key.site_id, **body | more)

    def status(self, at: int, notebook: str) -> str:
        """What one of the servers says that the notebook is."""
        answer = self.users[at].get("detail", notebookId=notebook)
        assert answer.ok, answer
        return answer.data["notebookStatus"]

    def comes_to(self, at: int, notebook: str, status: str, *, within: float = 20.0) -> None:
        """Wait until one of the servers says that the notebook has that status."""
        until(lambda: self.status(at, notebook) == status, within=within, what=f"{status} of {notebook}")

    def serve(self, at: int, notebook: str) -> str:
        """Have one of the servers start a service inside the notebook; the link to it that the same server gives."""
        port = free_port()
        command = f"exec python -I -S {self.sites[0].python / 'program.py'} {port}"
        started = self.users[at].post(
            "customize-service/actions/start", id=notebook, command=command, customizePort=port
        )
        assert started.ok, started
        assert started.data["execSuccess"], started
        return self.users[at].get("customize-service/url", notebookId=notebook).data["url"]

    def link(self, at: int, notebook: str, *, through: int | None = None) -> str:
        """A link that one of the servers gives, led through another's proxy."""
        answer = self.users[at].get("url", notebookId=notebook)
        assert answer.ok, answer
        assert answer.data["url"], answer
        here, there = (self.sites[one].proxy_port for one in (at, at if through is None else through))
        assert urlsplit(answer.data["url"]).port == here
        return answer.data["url"].replace(f":{here}/", f":{there}/", 1)

    def built_in(self) -> str:
        """The path of the image that Trivium's own environment is."""
        images = self.sites[0].type("image", "list")
        (path,) = (one["path"] for one in images if one["version"].startswith("jupyterlab:"))
        return path

    def run_cell(self, at: int, notebook: str, code: str, *, through: int) -> str:
        """What a cell prints in a kernel of the notebook, through one of the proxies."""
        link = self.link(at, notebook, through=through)
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "run_cell.py"), link, code],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def terminal(self, at: int, notebook: str, *, through: int) -> websocket.WebSocket:
        """A WebSocket to a new terminal of the notebook, through one of the proxies."""
        link = self.link(at, notebook, through=through)
        base, token = link.rpartition("lab?token=")[::2]
        headers = {"Authorization": f"token {token}"}
        made = httpx.post(f"{base}api/terminals", headers=headers, trust_env=False, timeout=30)
        place = f"{base.replace('http', 'ws', 1)}terminals/websocket/{made.json()['name']}"
        return websocket.create_connection(place, header=headers, timeout=30)

    def most_free(self, at: int) -> int:
        """How many cards one of the servers says that the best node has free."""
        answer = self.users[at].resources()
        assert answer.ok, answer
        (dcu,) = (one for one in answer.data if one["resourceType"].lower() == "dcu")
        return dcu["maxFreeNum"]

    def main_of(self, at: int, notebook: str, *, through: int | None = None) -> tuple[int, int]:
        """Pid and start time of the notebook's process, as it says itself."""
        found = self.visitor.main_of(self.link(at, notebook, through=through))
        assert found is not None
        return found


@contextmanager
def servers(database: str, *, together: bool, trivium: Path | None = None, **environment: str) -> Iterator[Servers]:
    """Two servers that are ready: on one data directory, of which the first acts, or on two.

    `trivium`: the command that both are; None: one in a small environment.
    """
    first = Site(database, trivium, **environment)
    second = Site(database, first.trivium, **environment)
    sites = [first, second]
    try:
        if together:
            second.share(first)
        (key,) = first.furnish(("alice",))
        image = first.small
        for site in sites:
            site.start()
            until(site.is_ready, within=60, what="a server that is ready")
        users = [User(key, site.url) for site in sites]
        assert users[0].log_in().ok
        users[1].tokens = users[0].tokens
        made = Servers(sites, users, image)
        yield made
        for user in users:
            user.close()
        made.visitor.close()
    finally:
        for site in reversed(sites):
            site.close()
