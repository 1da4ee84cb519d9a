"""One real server for the flows of a test process, with a JupyterLab from our own environment as its built-in image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.installation import TRIVIUM
from tests.serving import Server, serving
from tests.waiting import until

SCNET = Path(sys.executable).with_name("scnet")


@dataclass
class Site:
    """A server that runs, and its operator's shell."""

    server: Server
    data: Path

    def type(self, *words: str) -> Any:
        """What a `trivium` command prints as JSON."""
        command = [str(TRIVIUM), *words, "--data", str(self.data), "-o", "json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def key(self, user: str) -> dict[str, str]:
        """A new user with an access key."""
        self.type("user", "create", user)
        return self.type("key", "create", "--user", user)


class Scnet:
    """SCNet's own command-line client, as somebody uses it."""

    def __init__(self, home: Path, server: Server, key: dict[str, str]) -> None:
        addresses = {"api": server.url, "www": server.url}
        credentials = {"access_key": key["access_key"], "secret_key": key["secret_key"]}
        profile = {"user": key["user"], **credentials, "base_overrides": addresses}
        home.mkdir(parents=True)
        (home / "config.json").write_text(json.dumps({"current": "default", "profiles": {"default": profile}}), "utf-8")
        self._environment = {"SCNET_HOME": str(home), "PATH": os.environ["PATH"], "COLUMNS": "400", "LANG": "C.UTF-8"}

    def run(self, *words: str) -> str:
        """What the command prints; AssertionError with it when the command fails."""
        done = subprocess.run([str(SCNET), *words], capture_output=True, text=True, env=self._environment, check=False)
        assert done.returncode == 0, f"scnet {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        """The data of the answer."""
        return json.loads(self.run("-o", "json", *words))

    def notebooks(self) -> dict[str, dict[str, Any]]:
        """Every notebook by its id."""
        return {found["id"]: found for found in self.json("notebook", "ls")["records"]}

    def comes_to(self, notebook: str, status: str) -> dict[str, Any]:
        """The notebook once it has that status."""

        def found() -> dict[str, Any] | None:
            now = self.notebooks()[notebook]
            assert now["notebookStatus"] in (status, "Creating", "Restarting", "Running", "Shutting"), now
            return now if now["notebookStatus"] == status else None

        there = until(found, within=90, what=f"a notebook that is {status}")
        assert there is not None
        return there


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A server that is ready."""
    # Notebooks run under uids of their own, which cannot pass through the directories that pytest makes.
    top = Path(tempfile.mkdtemp(prefix="tv-"))
    top.chmod(0o711)
    data = top / "data"
    settings = {"TRIVIUM_NODE__CORES": "16", "TRIVIUM_NODE__MEMORY": "64GiB", "TRIVIUM_MODELARTS__SHORTEST_LEASE": "1s"}
    try:
        with serving(data, environment=settings | {"TRIVIUM_RUNTIME__RUN_DIR": str(top / "run")}) as server:
            until(lambda: httpx.get(f"{server.url}/readyz").is_success, within=170, what="a server that is ready")
            yield Site(server=server, data=data)
    finally:
        end_what_keeps(data)
        shutil.rmtree(top, ignore_errors=True)


def end_what_keeps(data: Path) -> None:
    """End the keeper of a data directory with all that it keeps: notebooks outlive their server."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(data) in words and any("keeper" in word for word in words):
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
