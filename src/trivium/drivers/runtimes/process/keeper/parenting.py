"""A warm parent's program: import what a notebook's server imports, and fork when the keeper asks.

It runs on the image's interpreter, in a layer like a launch's own, so that all that is computed from places at import
lies under that layer and its home, and can be moved to the launch's (`becoming`). It never reads what is launched:
that goes to the fork alone, so that no fork inherits what belongs to another.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from trivium.drivers.runtimes.process.keeper import becoming, interpreter, kernel, layer, minder, plans
from trivium.drivers.runtimes.process.keeper.becoming import Template
from trivium.drivers.runtimes.process.keeper.kernels import Nest
from trivium.drivers.runtimes.process.keeper.layer import Interpreter
from trivium.drivers.runtimes.process.keeper.parents import (
    BOOT,
    CONTROL,
    FORK,
    PACKAGE,
    READY,
    ROOT,
    TITLE,
)
from trivium.drivers.runtimes.process.keeper.processes import read
from trivium.drivers.runtimes.process.keeper.starting import Host

LOOK = 30.0  # seconds between two looks whether what was imported is still what is on the disk
LAZY = 19
EXPENDABLE, KEPT = (
    "800",
    "-500",
)  # to the kernel when it is out of memory: a parent, and the minder that is forked of it
NOTE = 65536  # bytes of what a fork is told
KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
)
SERVER = ("jupyterlab.labapp", "jupyterlab.extensions.pypi", "jupyter_server.serverapp", "httpcore")
LATE = ("tornado.platform.asyncio", "jinja2.ext", "jupyter_core.migrate", "encodings.ascii", "terminado", "ptyprocess")


def main(image: str, folder: str, keeper: str, *told: str) -> None:
    """Become a parent in a layer of its own. Comes back only by ending."""
    if not told:
        _settle(int(keeper))
        _begin_again(image, folder, keeper)
    os.set_inheritable(CONTROL, False)  # noqa: FBT003 - takes no keyword
    control = socket.socket(fileno=CONTROL)
    template = _warm_up(folder, Interpreter(*json.loads(told[0])))
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    control.send(READY)
    _serve(control, template)


def _settle(keeper: int) -> None:
    """A session of its own, which ends with the keeper."""
    kernel.die_with_parent()
    if os.getppid() != keeper:
        sys.exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    _weigh(EXPENDABLE)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, LAZY)


def _begin_again(image: str, folder: str, keeper: str) -> NoReturn:
    """Go on in a layer over the image, on an interpreter without options: what it starts would inherit them."""
    python = layer.python_of(image)
    if python is None:
        sys.exit(f"{image} is gone")
    told = layer.ask(python)
    layer.make(f"{folder}/venv", (), told)
    os.mkdir(f"{folder}/home", 0o700)
    program = f"{folder}/venv/bin/python"
    boot = BOOT.replace("{module}", "parenting").ljust(TITLE)
    os.set_inheritable(CONTROL, True)  # noqa: FBT003 - takes no keyword
    os.execv(program, [program, "-c", boot, ROOT, image, folder, keeper, json.dumps(told)])


def _warm_up(folder: str, python: Interpreter) -> Template:
    venv, home, user = f"{folder}/venv", f"{folder}/home", f"user-{os.path.basename(folder)}"
    os.environ["USER"] = user
    gc.disable()  # forks would write into the holes that a collection leaves, and share less
    for place in (*sys.path, python.base):
        if not place.startswith(folder) and os.path.exists(place) and (other := first_foreign(place)):
            sys.exit(f"{other} can be written by somebody else: the image is not warmed")
    _import(KERNEL)
    kernel_names = interpreter.imported()
    _import(SERVER)
    _import(_services())
    extensions = _extensions(python.data)
    _import(extensions)
    _import(_points(extensions))
    _import(LATE)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("what the image imports starts threads: it is not warmed")
    furnish = _provisioning()
    interpreter.gather()
    template = Template(
        venv,
        home,
        user,
        python,
        becoming.spots_of(venv, home, user),
        names=interpreter.imported(),
        forgettable=interpreter.forgettable(kernel_names),
        furnish=furnish,
    )
    importlib.invalidate_caches()  # which a fork would do with every directory of packages
    gc.freeze()
    return template


def _import(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):  # what cannot be imported here, the server will complain of
            importlib.import_module(name)


def _services() -> list[str]:
    """The modules in which Jupyter's server has its services, which it imports when it starts."""
    server = sys.modules.get("jupyter_server.serverapp")
    services: dict[str, list[str] | None] = getattr(server, "JUPYTER_SERVICE_HANDLERS", {})
    return [name for names in services.values() for name in names or ()]


def _extensions(data: str) -> list[str]:
    """The server extensions that the image has switched on."""
    found: list[str] = []
    folder = f"{data}/etc/jupyter/jupyter_server_config.d"
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with suppress(ValueError, KeyError, AttributeError):
            switches = json.loads(read(f"{folder}/{name}"))["ServerApp"]["jpserver_extensions"]
            found += [extension for extension, is_on in switches.items() if is_on]
    return found


def _points(extensions: Iterable[str]) -> list[str]:
    """The modules in which these extensions have what the server loads."""
    found: list[str] = []
    for name in extensions:
        with suppress(Exception):  # as with an import
            found += [str(point["module"]) for point in vars(sys.modules[name])["_jupyter_server_extension_points"]()]
    return found


def _provisioning() -> Callable[[Nest], list[str]] | None:
    """What lets a server take its kernels from a nest; None where the image's Jupyter is too old for that."""
    try:
        return importlib.import_module(f"{PACKAGE}.keeper.provisioning").furnish
    except ImportError:
        return None


def first_foreign(place: str) -> str | None:
    """The first path at or below `place`, or above it, that somebody else than root and us could change; else None."""
    above: str = os.path.realpath(place)
    while above != "/":
        above = os.path.dirname(above)
        if not _is_ours(above, is_above=True):
            return above
    waiting = [os.path.realpath(place)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if not _is_ours(path, is_above=False):
            return path
        if path in seen or not os.path.isdir(path):
            continue
        seen.add(path)
        with os.scandir(path) as entries:
            waiting.extend(os.path.realpath(one.path) if one.is_symlink() else one.path for one in entries)
    return None


def _is_ours(path: str, *, is_above: bool) -> bool:
    try:
        entry = os.stat(path)
    except OSError:
        return True  # a link that leads nowhere
    if entry.st_uid not in {0, os.geteuid()}:
        return False
    if is_above and entry.st_mode & stat.S_ISVTX:  # what is ours in it stays ours
        return True
    is_own_group = entry.st_gid in {0, os.getegid()}
    return not entry.st_mode & (stat.S_IWOTH if is_own_group else stat.S_IWOTH | stat.S_IWGRP)


def _serve(control: socket.socket, template: Template) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how minders end
    places = _places()
    stamps = stamps_now(places)
    while True:
        is_asked = bool(select.select([control], [], [], LOOK)[0])
        message, descriptors = b"", [0]
        if is_asked:
            message, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        if stamps != stamps_now(places) or (is_asked and message != FORK):
            os._exit(0)
        if is_asked:
            if os.fork() == 0:
                control.close()
                _mind(socket.socket(fileno=descriptors[0]), template)
            os.close(descriptors[0])


def _mind(channel: socket.socket, template: Template) -> NoReturn:
    """Become the minder of the launch that is told, and start it."""
    try:
        _weigh(KEPT)
        channel.send(str(os.getpid()).encode())
        note = channel.recv(NOTE)
        if note:  # else the keeper did without us
            plan, directory = plans.read(json.loads(note))
            host = Host(template.interpreter, partial(becoming.become, plan, template))
            minder.mind(plan, directory, go=channel.detach(), host=host)
    finally:
        os._exit(minder.SPAWN_FAILED)


def _places() -> list[str]:
    """Where what was imported lies, copied: forks would share no module any more that is looked at."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return [interpreter.copied(path) for path in files.union(sys.path) if path]


def stamps_now(places: list[str]) -> list[tuple[int, int, int] | None]:
    """What tells whether anything that was imported has changed, or anything was installed or removed."""
    found: list[tuple[int, int, int] | None] = []
    for path in places:
        try:
            entry = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((entry.st_ino, entry.st_size, entry.st_mtime_ns))
    return found


def _weigh(score: str) -> None:
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(score)
