"""An operator of a site on a database of either kind, with its commands and its server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.flows.conftest import end_what_keeps
from tests.installation import small
from tests.serving import Server, serving
from trivium.base.clock import SystemClock
from trivium.store import Store

Kind = TypeVar("Kind", bound="Operator")
QUIET = {"TRIVIUM_RUNTIME__WARM": "0s"}


class Operator:
    """Somebody at a shell, with a data directory and a database."""

    def __init__(self, data: Path, url: str | None) -> None:
        self.data = data
        self.url = url or f"sqlite:///{data / 'trivium.db'}"
        self.models, self.datasets = data / "models", data / "datasets"
        self.places = ["--data", str(data), *(["--database", url] if url else [])]

    def command(self, *words: str) -> list[str]:
        return [str(small()), *words, *self.places]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what came of it, whatever that is."""
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, timeout=150, env={**known, **environment}
        )

    def tell(self, *words: str) -> Any:
        """What a command prints as JSON."""
        done = self.run(*words, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def serving(self) -> AbstractContextManager[Server]:
        """A server on the data directory."""
        return serving(self.data, *self.places[2:], trivium=small(), environment=QUIET)

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = Store.open(self.url, SystemClock(), "test")
        try:
            yield store
        finally:
            store.close()


@contextmanager
def site_in(data: Path, database_url: str, kind: type[Kind]) -> Iterator[Kind]:
    """The operator of a site that was just made and has no server; what runs there in the end is ended.

    The database is the one of that address, or SQLite in the data directory.
    """
    data.mkdir(mode=0o711)
    made = kind(data, None if database_url.startswith("sqlite") else database_url)
    made.tell("center", "list")
    yield made
    end_what_keeps(data)


def is_ready(server: Server) -> bool:
    """Whether a server can serve."""
    return httpx.get(f"{server.url}/readyz").is_success
