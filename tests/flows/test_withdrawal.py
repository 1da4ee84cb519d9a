"""A right that the operator takes away at the shell is gone on the very next request of the server that runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.installation import TRIVIUM, install
from tests.serving import Server, serving


class Site:
    """A running server, and its operator's shell."""

    def __init__(self, server: Server, places: list[str]) -> None:
        self.places = places
        self.http = httpx.Client(base_url=server.url, trust_env=False)

    def type(self, *words: str) -> Any:
        """Type a command; what it prints."""
        command = [str(TRIVIUM), *words, *self.places]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else None

    def log_in(self, key: dict[str, str]) -> dict[str, Any]:
        """What the login answers to a signature made with the key."""
        said = {"accessKey": key["access_key"], "timestamp": str(int(time.time())), "user": key["user"]}
        message = json.dumps(said, separators=(",", ":"))
        signature = hmac.new(key["secret_key"].encode(), message.encode(), hashlib.sha256).hexdigest()
        return self.http.post("/api/user/v3/tokens", headers={**said, "signature": signature}).json()

    def code(self, token: str) -> str:
        """What code a call with the token is answered with."""
        return self.http.get("/ac/openapi/v2/user", headers={"token": token}).json()["code"]


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    data = tmp_path / "data"
    database = [] if database_url.startswith("sqlite") else ["--database", database_url]
    with serving(data, *database, trivium=install(tmp_path / "server")) as server:
        here = Site(server, ["--data", str(data), *database])
        yield here
        here.http.close()


def test_what_is_withdrawn_is_gone_at_once(site: Site) -> None:
    site.type("user", "create", "alice")
    first = site.type("key", "create", "--user", "alice", "-o", "json")
    second = site.type("key", "create", "--user", "alice", "-o", "json")
    token, other = (site.log_in(key)["data"][0]["token"] for key in (first, second))
    assert (site.code(token), site.code(other)) == ("0", "0")

    site.type("key", "delete", first["access_key"])
    assert (site.code(token), site.code(other)) == ("10008", "0")
    assert site.log_in(first)["code"] == "10008"

    site.type("user", "freeze", "alice")
    assert site.code(other) == "10007"
    site.type("user", "unfreeze", "alice")
    assert site.code(other) == "0"

    site.type("user", "disable", "alice")
    assert site.code(other) == "10008"
    site.type("user", "enable", "alice")
    assert site.code(other) == "0"

    site.type("user", "delete", "alice")
    assert site.code(other) == "10008"
    assert site.log_in(second)["code"] == "10008"


def test_a_second_server_on_a_directory_with_sqlite_is_refused(tmp_path: Path) -> None:
    """With PostgreSQL it stands by: tests/flows/test_servers.py."""
    data = tmp_path / "data"
    with serving(data, trivium=install(tmp_path / "server")):
        done = subprocess.run(
            [str(TRIVIUM), "server", "start", "--port", "0", "--proxy-port", "0", "--data", str(data)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert str(data) in done.stderr
    assert "Traceback" not in done.stderr
