"""A notebook of a real server, made as users make theirs: over SCNet's API, from an image with a command of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from benchmarks import backend
from benchmarks.api import Api
from benchmarks.processes import NotReady, Place, Running, administer, serving
from trivium.base.values import Value

STEP: Final = 0.1  # seconds between two looks


class Opened(Value, frozen=True, kw_only=True):
    """A notebook that runs, and how a browser that has entered asks for it."""

    id: str
    cookie: str
    proxy: Running  # the server, by the port of its proxy
    behind: Running  # the notebook itself, by the port on which it listens


@contextlib.contextmanager
def opened(folder: Path) -> Generator[Opened]:
    """A server with one notebook that runs `backend`; both are gone afterwards. Raises `NotReady`."""
    with serving(Place(data=folder / "data")) as served:
        image = _image(folder, served.place)
        api = Api(served)
        id = api.create(image)
        try:
            cookie = _cookie(urlsplit(api.link(id, step=STEP)).query, id, served.proxy)
            behind = _backend(folder)
            yield Opened(id=id, cookie=cookie, proxy=served.proxy, behind=behind)
        finally:
            api.stop(id)


def _image(folder: Path, place: Place) -> str:
    """The path of an image of the operator's: an environment with nothing but the backend in it."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    program = shutil.copy(str(backend.__file__), environment / "backend.py")
    options = ("--path", str(environment), "--accelerator", "cpu", "--command", f"python {program} {{port}}")
    return str(administer(place, "image", "add", "backend:1", *options)["path"])


def _cookie(query: str, id: str, proxy: Running) -> str:
    """What a browser keeps in place of the ticket."""
    with contextlib.closing(proxy.connect()) as connection:
        connection.request("GET", f"/nb/{id}/lab?{query}", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        given = answer.getheader("Set-Cookie", "")
    if not given:
        message = f"the ticket was not taken: {answer.status}"
        raise NotReady(message)
    return given.partition(";")[0]


def _backend(folder: Path) -> Running:
    program = str(folder / "environment" / "backend.py")
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if program in words:
            return Running(process.pid, int(words[-1]))
    raise NotReady("the notebook's process is not there")
