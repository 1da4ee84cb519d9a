"""Notebooks of a real server, made as users make theirs: over SCNet's API, from images with a command of their own.

One runs `backend`, which does the least that can be done for a download or a message; the other an application on
uvicorn, as what people serve from notebooks is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from benchmarks import asgi, backend
from benchmarks.api import Api
from benchmarks.processes import NotReady, Place, Running, administer, serving
from trivium.base.values import Value

STEP: Final = 0.1  # seconds between two looks
SERVER: Final = ("uvicorn", "uvloop", "httptools", "click", "h11", "typing_extensions")  # what uvicorn consists of


class Notebook(Value, frozen=True, kw_only=True):
    """One that runs, and how a browser that has entered asks for it."""

    id: str
    cookie: str
    behind: Running  # the notebook itself, by the port on which it listens


class Opened(Value, frozen=True, kw_only=True):
    """A server with two notebooks."""

    proxy: Running  # the server, by the port of its proxy
    least: Notebook  # runs `backend`
    application: Notebook  # runs `asgi` on uvicorn


@contextlib.contextmanager
def opened(folder: Path) -> Generator[Opened]:
    """A server with its notebooks; all are gone afterwards. Raises `NotReady`."""
    environment = _environment(folder)
    commands = {
        "backend": f"python {environment}/backend.py {{port}}",
        "asgi": f"python -m uvicorn --app-dir {environment} --log-level error --port {{port}} asgi:app",
    }
    with serving(Place(data=folder / "data")) as served, contextlib.ExitStack() as stack:
        api = Api(served)
        made: dict[str, Notebook] = {}
        for name, command in commands.items():
            options = ("--path", str(environment), "--accelerator", "cpu", "--command", command)
            image = str(administer(served.place, "image", "add", f"{name}:1", *options)["path"])
            id = api.create(image)
            stack.callback(api.stop, id)
            cookie = _cookie(urlsplit(api.link(id, step=STEP)).query, id, served.proxy)
            made[name] = Notebook(id=id, cookie=cookie, behind=_behind(command))
        yield Opened(proxy=served.proxy, least=made["backend"], application=made["asgi"])


def _environment(folder: Path) -> Path:
    """An environment with the two programs and uvicorn in it, as this one has it."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    for program in (asgi, backend):
        shutil.copy(str(program.__file__), environment)
    packages = next(environment.glob("lib/python3*/site-packages"))
    for name in SERVER:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise NotReady(f"{name} is not installed")
        origin = Path(found.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, packages / name)
        else:
            shutil.copy(origin, packages)
    return environment


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


def _behind(command: str) -> Running:
    """The process of a notebook, found by the words of its command, of which one is the port that it was given."""
    before, _, after = command.partition(" {port}")
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        begin = words.find(before.partition(" ")[2])
        if begin >= 0 and words.endswith(after):
            return Running(process.pid, int(words.removesuffix(after).rpartition(" ")[2]))
    raise NotReady("the notebook's process is not there")
