"""The program of a fork server ("warm parent"): import what a notebook's server imports, fork when the keeper asks.

It runs on the image's interpreter, in a layer like a launch's own, so that all that is computed from paths at import
lies under that layer and its home, and can be relocated to the launch's. It never reads what is launched: that goes to
the fork alone, so that no fork inherits what belongs to another.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from trivium.drivers.runtimes.process.keeper import boot
from trivium.drivers.runtimes.process.keeper.startup import layer, minder
from trivium.drivers.runtimes.process.keeper.startup.layer import Interpreter
from trivium.drivers.runtimes.process.keeper.startup.steps import Launcher
from trivium.drivers.runtimes.process.keeper.system import linux
from trivium.drivers.runtimes.process.keeper.warm import handover, modules, preload, trust
from trivium.drivers.runtimes.process.keeper.warm.pool import CONTROL, FORK, MODULE, READY
from trivium.drivers.runtimes.process.keeper.warm.relocation import find_relocations
from trivium.drivers.runtimes.process.keeper.warm.specialize import Preloaded, specialize

LOOK = 30.0  # seconds between two looks whether what was imported is still what is on the disk
LAZY = 19
EXPENDABLE = "800"  # oom_score_adj of a fork server
KEPT = "-500"  # of a minder that was forked of it, as of the keeper's own
NOTE = 65536  # bytes of what a fork is sent
TITLE = 8192  # bytes of the command line, in which a fork writes its own and its environment


def main(image: str, folder: str, keeper: str, edition: str, *interpreter: str) -> None:  # noqa: PLR0917 - as in argv
    """Become a fork server in a layer of its own. Comes back only by ending."""
    if not interpreter:
        if edition != boot.edition():
            sys.exit("the keeper is of another version than what is installed: no image is warmed until it is replaced")
        _settle(int(keeper))
        _begin_again(image, folder, [keeper, edition])
    os.set_inheritable(CONTROL, False)  # noqa: FBT003 - takes no keyword
    control = socket.socket(fileno=CONTROL)
    preloaded = _preload(image, folder, Interpreter(*json.loads(interpreter[0])))
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    control.send(READY)
    _serve(control, preloaded)


def _settle(keeper: int) -> None:
    """A session of its own, which ends with the keeper."""
    linux.die_with_parent()
    if os.getppid() != keeper:
        sys.exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    _set_oom_score(EXPENDABLE)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, LAZY)


def _begin_again(image: str, folder: str, arguments: list[str]) -> NoReturn:
    """Go on in a layer over the image, on an interpreter without options: what it starts would inherit them."""
    own = (f"{image}/{name}" for name in ("bin", "lib", "pyvenv.cfg"))
    _must_be_ours([*own, *sys.path])  # before the image's .pth files are run
    python = layer.python_of(image)
    if python is None:
        sys.exit(f"{image} is gone")
    told = layer.ask(python)
    layer.make(f"{folder}/venv", (), told)
    os.mkdir(f"{folder}/home", 0o700)
    program = f"{folder}/venv/bin/python"
    code = boot.code(MODULE).ljust(TITLE)
    os.set_inheritable(CONTROL, True)  # noqa: FBT003 - takes no keyword
    os.execv(program, [program, "-c", code, boot.ROOT, image, folder, *arguments, json.dumps(told)])


def _preload(image: str, folder: str, python: Interpreter) -> Preloaded:
    venv, home, user = f"{folder}/venv", f"{folder}/home", f"user-{os.path.basename(folder)}"
    os.environ["USER"] = user
    gc.disable()  # forks would write into the holes that a collection leaves, and share less
    known = (f"{folder}/", f"{image}/lib/")  # made by us; looked through before
    _must_be_ours(place for place in (*sys.path, python.base) if not place.startswith(known))
    kernel = preload.import_kernel()
    preload.import_server(python.data)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("what the image imports starts threads: it is not warmed")
    use_kernel_server = preload.import_provisioner()
    modules.compact_names()
    preloaded = Preloaded(
        venv,
        home,
        user,
        python,
        find_relocations(venv, home, user),
        names=modules.top_level(),
        unloadable=modules.find_unloadable(kernel.names),
        kernel_filters=kernel.filters,
        use_kernel_server=use_kernel_server,
    )
    importlib.invalidate_caches()  # which a fork would do with every directory of packages
    gc.freeze()
    return preloaded


def _must_be_ours(places: Iterable[str]) -> None:
    """End where somebody else could write to any of these: whatever is run of them is run with the keeper's rights."""
    for place in places:
        if os.path.exists(place) and (other := trust.first_foreign(place)):
            sys.exit(f"{other} can be written by somebody else: the image is not warmed")


def _serve(control: socket.socket, preloaded: Preloaded) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how minders end
    paths = trust.imported_files()
    stamps = trust.stamps_of(paths)
    while True:
        is_asked = bool(select.select([control], [], [], LOOK)[0])
        message, handles = b"", [0]
        if is_asked:
            message, handles, _, _ = socket.recv_fds(control, 16, 1)
        if stamps != trust.stamps_of(paths) or (is_asked and message != FORK):
            os._exit(0)
        if is_asked:
            if os.fork() == 0:
                control.close()
                _mind(socket.socket(fileno=handles[0]), preloaded)
            os.close(handles[0])


def _mind(channel: socket.socket, preloaded: Preloaded) -> NoReturn:
    """Become the minder of the launch that is sent, and start it."""
    try:
        _set_oom_score(KEPT)
        channel.send(str(os.getpid()).encode())
        note = channel.recv(NOTE)
        if note:  # else the keeper gave up waiting, or is gone
            plan, directory = handover.decode(json.loads(note))
            launcher = Launcher(preloaded.interpreter, partial(specialize, plan, preloaded))
            minder.mind(plan, directory, go=channel.detach(), launcher=launcher)
    finally:
        os._exit(minder.SPAWN_FAILED)


def _set_oom_score(score: str) -> None:
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(score)
