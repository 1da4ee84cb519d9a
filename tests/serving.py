"""The real server, started as an operator starts it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.installation import TRIVIUM
from tests.waiting import until

STOPS_WITHIN = 30.0  # seconds; the product says five, on a machine that is not busy with tests


@dataclass
class Server:
    """A server that listens."""

    process: subprocess.Popen[bytes]
    url: str  # the APIs' origin
    proxy_url: str  # the notebooks' origin
    log: Path  # what it said on standard output and standard error


@contextmanager
def serving(
    data: Path, *words: str, trivium: Path = TRIVIUM, environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """A server on ports that were free, stopped by SIGTERM in the end.

    `words` are more of its command line; `trivium` is the command that it is.
    """
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = data / "server.log"
    command = [str(trivium), "server", "start", "--port", "0", "--proxy-port", "0", "--data", str(data), *words]
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**known, **(environment or {})})
    try:
        told = until(lambda: _greeted(process, log), within=60, what="the server's greeting")
        assert told is not None
        yield Server(process=process, url=told[0], proxy_url=told[1], log=log)
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _greeted(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str] | None:
    """The two addresses of the greeting; None until they are told."""
    said = log.read_text("utf-8", "replace")
    assert process.poll() is None, f"the server ended with {process.returncode}: {said}"
    apis, notebooks = (re.search(rf"^  {word}\s+(http://\S+)", said, re.MULTILINE) for word in ("APIs", "Notebooks"))
    return (apis[1], notebooks[1]) if apis and notebooks else None
