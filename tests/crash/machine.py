"""What this machine has of a data directory: processes, directories, cgroups, mounts."""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.system import processes
from trivium.drivers.runtimes.process.keeper.system.cgroups import directory_of
from trivium.drivers.runtimes.process.keeper.system.processes import Identity
from trivium.drivers.runtimes.process.settings import run_directory

CGROUPS = Path("/sys/fs/cgroup")
FIRST_PORT = 10_000
LAUNCH = re.compile(r"[0-9]+-[0-9]+")
KEEPS = frozenset({"lock", "epoch", "keeper.log", "keeper.log.1"})


@dataclass(frozen=True)
class Process:
    """One process that has to do with the data directory."""

    identity: Identity
    parent: int
    notebook: int | None  # which notebook's it is; None for a server, a keeper, a minder
    words: tuple[str, ...]
    warms: str | None = None  # the image of the warm parent that it is, or was forked of
    folder: str | None = None  # that parent's
    minds: bool = False  # whether it is such a fork, beside a notebook

    @property
    def is_keepers(self) -> bool:
        """Whether it is the keeper, or a minder, which is a fork of it."""
        return self.notebook is None and self.warms is None and "-S" in self.words[:4]


@dataclass(frozen=True)
class Machine:
    """One look at all of it."""

    processes: dict[int, Process]
    launches: frozenset[str]  # of which the keeper has notes
    rooms: frozenset[str]  # directories of sockets
    layers: frozenset[int]
    logs: frozenset[int]
    saved: frozenset[str]
    cgroups: frozenset[str]
    temporary: frozenset[str]  # directories of temporary files
    folders: frozenset[str]  # of warm parents
    odd: tuple[str, ...]  # what should not lie there at all
    keepers_pid: int | None

    @property
    def keeper(self) -> Process | None:
        """The keeper; None while none runs."""
        return self.processes.get(self.keepers_pid or 0)

    @property
    def parents(self) -> list[Process]:
        """The warm parents, which notebooks are forked of."""
        return [one for one in self.processes.values() if one.warms is not None and not one.minds]

    @property
    def forks(self) -> list[Process]:
        """The minders of notebooks that were forked of a warm parent."""
        return [one for one in self.processes.values() if one.minds]

    @property
    def minders(self) -> dict[int, Process]:
        """The forks of the keeper and of warm parents beside the notebooks."""
        keeper = self.keeper
        return {pid: one for pid, one in self.processes.items() if one.minds or (one.is_keepers and one is not keeper)}


def look(data: Path) -> Machine:
    """Everything of a data directory."""
    run = run_directory(data)
    odd: list[str] = []
    launches = _named(data / "keeper", LAUNCH, odd, besides=KEEPS)
    rooms = _named(run, LAUNCH, odd, besides=frozenset({"keeper.sock"}))
    layers = _named(data / "layers", re.compile(r"[0-9]+"), odd)
    logs = _named(data / "logs", re.compile(r"[0-9]+"), odd)
    saved = _named(data / "saved", re.compile(r"[0-9a-f]{32}"), odd)
    temporary = _named(data / "temporary", LAUNCH, odd)
    folders = _named(data / "warm", re.compile(r"[0-9a-f]{16}"), odd)
    cgroups: set[str] = set()
    for place in _our_cgroups(data):
        cgroups |= _named(place, LAUNCH, odd, only_directories=True)
    mounts = Path("/proc/self/mountinfo").read_text("utf-8")
    odd += [f"mount {line.split()[4]}" for line in mounts.splitlines() if f"{data}/" in line or f"{run}/" in line]
    return Machine(
        processes=_told_apart({one.identity.pid: one for one in _processes(data)}),
        launches=launches,
        rooms=rooms,
        layers=frozenset(map(int, layers)),
        logs=frozenset(map(int, logs)),
        saved=saved,
        cgroups=frozenset(cgroups),
        temporary=temporary,
        folders=folders,
        odd=tuple(odd),
        keepers_pid=_at_door(run / "keeper.sock"),
    )


def clear(data: Path) -> None:
    """Kill and remove all of it."""

    def is_clear() -> bool:
        found = list(_processes(data))
        for one in found:
            processes.send(one.identity, signal.SIGKILL)
        return not found

    until(is_clear, within=30, what="the end of all processes")
    for place in _our_cgroups(data):
        for below in [*(entry for entry in place.iterdir() if entry.is_dir()), place]:
            with suppress(OSError):
                below.rmdir()
    shutil.rmtree(run_directory(data), ignore_errors=True)


def keeper_of(data: Path) -> int | None:
    """The pid of the keeper that answers for a data directory; None while none does."""
    return _at_door(run_directory(data) / "keeper.sock")


def parents_of(data: Path) -> list[int]:
    """The pids of the warm parents that can be forked now, as the keeper says."""
    with socket.socket(socket.AF_UNIX) as knock, suppress(OSError):
        knock.connect(str(run_directory(data) / "keeper.sock"))
        knock.sendall(b'{"id": 1, "op": "hello"}\n')
        return json.loads(knock.makefile("rb").readline())["ok"]["warm"]
    return []


def free_port() -> int:
    """A port of loopback that nobody listens on now, and that the kernel gives to no connection meanwhile."""
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    while True:
        port = FIRST_PORT + secrets.randbelow(ephemeral - FIRST_PORT)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _at_door(door: Path) -> int | None:
    """Who listens at the door; minders are forks of the keeper, and after its death look like it in every other way."""
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(door))
        except OSError:
            return None
        credentials = knock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)


def _our_cgroups(data: Path) -> list[Path]:
    return [place for place in (CGROUPS / directory_of(str(data)), *CGROUPS.glob(f"*/{directory_of(str(data))}"))
            if place.is_dir()]  # fmt: skip


def _named(
    place: Path,
    name: re.Pattern[str],
    odd: list[str],
    *,
    besides: frozenset[str] = frozenset(),
    only_directories: bool = False,
) -> frozenset[str]:
    """The entries with such names; any other is odd."""
    found: set[str] = set()
    with suppress(FileNotFoundError):
        for entry in os.scandir(place):
            if only_directories and not entry.is_dir():
                continue
            if name.fullmatch(entry.name):
                found.add(entry.name)
            elif entry.name not in besides:
                odd.append(entry.path)
    return frozenset(found)


def _processes(data: Path) -> Iterator[Process]:
    """Whoever has the directory's name on the command line or in the environment."""
    word, place = os.fsencode(data), os.fsencode(f"{data}/")
    for pid, seen in processes.everyone().items():
        if not seen.is_alive or pid == os.getpid():
            continue
        line = processes.read(f"/proc/{pid}/cmdline")
        environment = processes.environment(pid)
        if word in line.split(b"\0") or any(place in entry for entry in environment):
            words = tuple(os.fsdecode(part) for part in line.split(b"\0"))
            warms, folder = _warmed(data, words)
            yield Process(
                identity=seen.identity,
                parent=seen.parent,
                notebook=_notebook_of(data, environment, words) if warms is None else None,
                words=words,
                warms=warms,
                folder=folder,
            )


def _notebook_of(data: Path, environment: list[bytes], words: tuple[str, ...]) -> int | None:
    """Whose process it is, by its environment, or by the interpreter of a fork, which has its parent's environment."""
    told = [one.partition(b"=")[2] for one in environment if one.startswith(b"TRIVIUM_NOTEBOOK=")]
    found = re.match(rf"{re.escape(str(data))}/layers/([0-9]+)/venv/bin/python", words[0])
    return int(told[0]) if told else int(found[1]) if found else None


def _warmed(data: Path, words: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Image and folder in the command line of a warm parent, which its forks beside notebooks keep."""
    for image, word in itertools.pairwise(words):
        if word.startswith(f"{data}/warm/"):
            return image, word.rpartition("/")[2]
    return None, None


def _told_apart(found: dict[int, Process]) -> dict[int, Process]:
    """The same, with the forks of warm parents told from the parents: they have a parent above or a notebook below."""
    above = {one.parent for one in found.values() if one.notebook is not None}
    return {
        pid: replace(one, minds=pid in above or (one.parent in found and found[one.parent].warms is not None))
        if one.warms is not None
        else one
        for pid, one in found.items()
    }
