"""What `trivium doctor` looks at on this machine. No check changes anything."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib.util
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from trivium.base.units import GIB, MIB
from trivium.resources.nodes.ports import NodeFound
from trivium.server.admin.findings import Finding, blocking, lacking, ok
from trivium.server.host.directory import LOCK
from trivium.server.settings import Settings

LOW: Final = 5 * GIB
TOO_LOW: Final = 256 * MIB
UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)
TIMEX_SIZE: Final = 512  # bytes; more than struct timex has anywhere
REST_OF_MODE: Final = 0o077


def data_directory(settings: Settings) -> Iterator[Finding]:
    """Whether the data directory can be used, and how much room there is."""
    place = settings.data
    standing = next(folder for folder in (place, *place.parents) if folder.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        remedy = "choose another with --data, or give this user the right to write there"
        yield blocking("data directory", f"{standing} cannot be written to", remedy)
        return
    yield ok("data directory", str(place) if place.exists() else f"{place}, which will be made")
    free = shutil.disk_usage(standing).free
    said = f"{free / GIB:.1f} GiB free where {standing} is"
    if free < TOO_LOW:
        yield blocking("disk", said, "free some space, or choose a data directory elsewhere with --data")
    elif free < LOW:
        yield lacking("disk", said, "notebooks and saved images need room; free some, or move the data directory")
    else:
        yield ok("disk", said)


def key_file(settings: Settings) -> Finding:
    """Whether the root key can be read, and by nobody else."""
    file = settings.key_file
    try:
        mode = file.stat().st_mode
        readable = os.access(file, os.R_OK)
    except FileNotFoundError:
        return ok("key file", f"{file}, which will be made")
    except OSError as error:
        return blocking("key file", f"{file}: {error.strerror}", "give this user the right to read it")
    if not readable:
        return blocking("key file", f"{file} cannot be read", "give this user the right to read it")
    if mode & REST_OF_MODE:
        return lacking("key file", f"{file} can be read by others", f"chmod 600 {file}")
    return ok("key file", str(file))


def roots(settings: Settings) -> Iterator[Finding]:
    """Whether the directories that models and datasets may lie in can be read."""
    for name, own, found in (
        ("models", settings.own_models, settings.model_roots),
        ("datasets", settings.own_datasets, settings.dataset_roots),
    ):
        remove = f"leave it out of TRIVIUM_{name.upper()}__ROOTS"
        for root in found:
            if root == own and not root.exists():
                yield ok(name, f"{root}, which will be made")
            elif not root.is_dir():
                yield lacking(name, f"{root} is no directory that can be entered", f"mount or make it, or {remove}")
            elif not os.access(root, os.R_OK | os.X_OK):
                yield lacking(name, f"{root} cannot be read", f"give this user the right to read it, or {remove}")
            else:
                yield ok(name, str(root))


def clock() -> Finding:
    """Whether the kernel holds the clock to be right: signatures are judged by it."""
    libc = ctypes.CDLL(None, use_errno=True)
    state: int = libc.adjtimex(ctypes.create_string_buffer(TIMEX_SIZE))
    if state < 0:
        return ok("clock", "the kernel does not say whether it is synchronised")
    if state == UNSYNCHRONISED:
        remedy = "run an NTP client (chrony, systemd-timesyncd): signed requests are refused by a clock that is off"
        return lacking("clock", "the kernel says that it is not synchronised", remedy)
    return ok("clock", "synchronised")


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether the server could listen, or does."""
    if _runs(settings.data / LOCK):
        yield ok("server", f"a server runs on {settings.data}")
        return
    for topic, port in (("API port", settings.server.port), ("notebook port", settings.server.proxy_port)):
        problem = _binding(settings.server.host, port)
        place = f"{settings.server.host}:{port}"
        option = "--port" if port == settings.server.port else "--proxy-port"
        if problem is None:
            yield ok(topic, f"{place} is free")
        else:
            yield blocking(topic, f"{place}: {problem}", f"choose another with {option} or --host")


def jupyter() -> Finding:
    """Whether there is a JupyterLab of our own for the built-in image."""
    if importlib.util.find_spec("jupyterlab") is None or importlib.util.find_spec("ipykernel") is None:
        remedy = "install trivium[notebook], or add an environment that has it: trivium image add NAME:TAG --path ENV"
        return lacking("JupyterLab", "not in Trivium's own environment, so there is no built-in image", remedy)
    return ok("JupyterLab", "in Trivium's own environment, the built-in image")


def machine(found: Sequence[NodeFound]) -> Iterator[Finding]:
    """What notebooks can have of this machine."""
    for node in found:
        yield ok("machine", f"{node.name}: {node.cores:g} cores, {node.memory / GIB:.1f} GiB of memory")
        kinds = sorted({(card.kind, card.model, card.declared) for card in node.accelerators})
        for kind, model, declared in kinds:
            count = sum(1 for card in node.accelerators if (card.kind, card.model) == (kind, model))
            how = "declared in the configuration, not confirmed by the machine" if declared else "detected"
            yield ok("accelerators", f"{count} × {model} ({kind}), {how}")
        if not kinds:
            yield ok("accelerators", "none found; declare what is there with TRIVIUM_NODE__ACCELERATORS, like dcu:8")


def _runs(lock: Path) -> bool:
    """Whether some process holds the lock of the data directory."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # servers on PostgreSQL share it
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _binding(host: str, port: int) -> str | None:
    """Why nobody could listen there; None when it is possible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return "taken by another program" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return None
