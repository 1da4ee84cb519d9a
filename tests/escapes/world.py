"""People with notebooks on a real server, and what they can do from the inside and from the outside."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.crash.scnet import User
from tests.crash.server import Site
from tests.crash.small_disk import small_disk
from tests.waiting import until

AGENT = Path(__file__).with_name("agent.py")
ADMIN = "an-administrators-first-password"
PEOPLE = ("alice", "bob")
SILENCE = 0.4  # seconds after an answer in which another one would come


@dataclass(frozen=True)
class Done:
    """What a command inside a notebook came to."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Inside:
    """A notebook, as its owner uses it."""

    def __init__(self, stage: Stage, user: User, id: str) -> None:
        self.stage = stage
        self.user = user
        self.id = id
        self.link = ""
        self.uid = 0

    @property
    def ticket(self) -> str:
        """What the link opens the notebook with."""
        return parse_qs(urlsplit(self.link).query)["token"][0]

    @property
    def path(self) -> str:
        """Where it is on the proxy."""
        return f"/nb/{self.id}/"

    @property
    def url(self) -> str:
        return f"{self.stage.proxy_url}{self.path}"

    @property
    def row(self) -> dict[str, Any]:
        """What SCNet tells of it."""
        return self.user.get("detail", notebookId=self.id).data

    def comes_to(self, status: str) -> Inside:
        """Wait for a status, and take a link where it runs."""

        def is_there() -> bool:
            row = self.row
            assert row["notebookStatus"] in (status, "Creating", "Restarting", "Running", "Shutting"), row
            return row["notebookStatus"] == status

        until(is_there, within=60, what=f"a notebook that is {status}")
        if status == "Running":
            self.link = self.user.get("url", notebookId=self.id).data["url"]
            self.uid = int(self.says("id -u"))
        return self

    def run(self, command: str) -> Done:
        """Run a command as a child of the notebook's own server."""
        headers = {"Authorization": f"token {self.ticket}"}
        answer = httpx.post(f"{self.url}run", content=command, headers=headers, trust_env=False, timeout=60)
        told = answer.raise_for_status().json()
        return Done(told["code"], told["out"], told["err"])

    def says(self, command: str) -> str:
        """What a command prints that must go well."""
        done = self.run(command)
        assert done.code == 0, done
        return done.out.strip()

    def python(self, program: str) -> Done:
        """Run a Python program inside."""
        return self.run(f"python -I - <<'PROGRAM'\n{program}\nPROGRAM")

    def start(self) -> Inside:
        """Start it anew."""
        assert self.user.platform("start", notebookId=self.id).ok
        return self.comes_to("Running")

    def stop(self, *, saves: bool = False) -> Inside:
        """Stop it, and wait for that."""
        answer = self.user.post("actions/stop", notebookId=self.id, saveEnv=str(saves).lower())
        assert answer.ok, answer
        return self.comes_to("Terminated")

    def release(self) -> None:
        """Let it go, whatever it is."""
        if self.row["notebookStatus"] == "Running":
            self.stop()
        assert self.user.post("actions/release", notebookId=self.id).ok


class Stage:
    """A server with an image whose notebooks do what they are told, and people who may use it.

    `disk`: MiB of a file system of its own for the data directory; 0 for none.
    """

    def __init__(self, *, people: tuple[str, ...] = PEOPLE, disk: int = 0, **environment: str) -> None:
        self.site = Site(TRIVIUM_ADMIN_PASSWORD=ADMIN, **environment)
        self._disk = ExitStack()
        if disk:
            self._disk.enter_context(small_disk(self.data, f"{disk}m"))
        keys = self.site.furnish(people)
        shutil.copy(AGENT, self.site.python / "agent.py")
        raising = self.site.python / "bin" / "raising"
        shutil.copy("/usr/bin/id", raising)
        raising.chmod(0o4755)
        self.image = self.agent("agent:1")
        self.site.start()
        self.users = {key.user: User(key, self.site.url) for key in keys}
        for user in self.users.values():
            assert user.log_in().ok

    @property
    def data(self) -> Path:
        return self.site.data

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.site.proxy_port}"

    def agent(self, version: str, *words: str, path: Path | None = None) -> str:
        """An image of the agent; the path under which it is asked for. `words` come before the agent."""
        place = path or self.site.python
        return self.site.image(version, *words, "python", "-I", str(place / "agent.py"), "{socket}", path=place)

    def asked(self, name: str, *, image: str | None = None, **told: Any) -> Inside:
        """A notebook that was asked for."""
        user = self.users[name]
        asked = {"acceleratorType": "dcu", "acceleratorNumber": 1, "imageName": "agent", **told}
        place = {"clusterId": user.key.site_id, "imagePath": image or self.image}
        answer = user.platform("create", **place, **asked)
        assert answer.ok, answer
        return Inside(self, user, str(answer.data["notebookId"]))

    def started(self, name: str, **told: Any) -> Inside:
        """A notebook that runs."""
        return self.asked(name, **told).comes_to("Running")

    def send(self, *pieces: bytes, port: int | None = None) -> bytes:
        """All that comes back for raw bytes, until the other side closes or has nothing more to say."""
        with socket.create_connection(("127.0.0.1", port or self.site.proxy_port), timeout=10) as connection:
            for piece in pieces:
                connection.sendall(piece)
            said = b""
            try:
                while part := connection.recv(65536):
                    said += part
                    connection.settimeout(SILENCE)
            except (TimeoutError, ConnectionError):
                pass
            return said

    def close(self) -> None:
        """End everything."""
        for user in self.users.values():
            user.close()
        self.site.close()
        self._disk.close()


@contextmanager
def staged(*, people: tuple[str, ...] = PEOPLE, disk: int = 0, **environment: str) -> Iterator[Stage]:
    """A stage for as long as the block runs; tests of others than root are skipped."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root: an ordinary user's notebooks are not kept apart")
    stage = Stage(people=people, disk=disk, **environment)
    try:
        yield stage
    finally:
        stage.close()


def body_of(answer: bytes) -> Any:
    """The JSON of the first answer in what came back."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return json.loads(rest[:length])
