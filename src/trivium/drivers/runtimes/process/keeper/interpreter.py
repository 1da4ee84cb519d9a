"""Making this interpreter look as one that was just started: what it imported from where, and what others see of it.

What an interpreter does at its start is done here in a fork of one that has imported its modules already.
"""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing.process
import os
import runpy
import signal
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, cast

from trivium.drivers.runtimes.process.keeper.layer import CHAIN
from trivium.drivers.runtimes.process.keeper.members import MARK
from trivium.drivers.runtimes.process.keeper.processes import read

OURS = frozenset({"trivium"})


def is_shadowed(names: frozenset[str], home: str, sites: Sequence[str]) -> bool:
    """Whether any of what was imported would have come from elsewhere, or something else would have run first.

    `home` is the directory that comes first when a program starts, `sites` are those of packages before the image's.
    """
    for place in (home, *sites):
        try:
            with os.scandir(place) as entries:
                if any(_is_in_the_way(entry, names, is_site=place != home) for entry in entries):
                    return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def _is_in_the_way(entry: os.DirEntry[str], names: frozenset[str], *, is_site: bool) -> bool:
    name, _, kind = entry.name.partition(".")
    if is_site and entry.name.endswith(".pth"):
        return entry.name != CHAIN
    if name not in names:
        return False
    if kind:
        return kind.endswith(("py", "pyc", "so"))
    return is_site or os.path.exists(f"{entry.path}/__init__.py")  # where there is none, the image's comes first


def reset_signals() -> None:
    """Signals as an interpreter sets them when it starts."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def show(title: str, mark: str = "") -> None:
    """Write what runs, and a launch's mark, where other programs see them: in the memory that /proc shows."""
    fields = read("/proc/self/stat").rpartition(b")")[2].split()
    start, end, first, last = (int(fields[number]) for number in (45, 46, 47, 48))  # arg_start, arg_end, env_…
    text = title.encode(errors="surrogateescape")[: end - start - 2]
    ctypes.memmove(start, text + b"\0" + b"\1" * (end - start - len(text) - 1), end - start)
    place = ctypes.string_at(first, last - first).find(f"{MARK}=".encode()) if mark else -1
    if place >= 0:
        ctypes.memmove(first + place + len(MARK) + 1, mark.encode(), len(mark))


def set_surroundings(environment: dict[str, str]) -> None:
    """Have this environment and no other, and the working directory as the one that this was started in."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None
    cast("Any", multiprocessing.process).ORIGINAL_DIR = os.getcwd()  # where its workers look for modules
    if hasattr(trash := sys.modules.get("send2trash.plat_other"), "uid"):
        cast("Any", trash).uid = os.getuid()  # after whom the directory of what was thrown away is named


def make_unlike_others() -> None:
    """Give this process what no other fork may have: its keys and its random numbers."""
    multiprocessing.process.current_process().authkey = os.urandom(32)
    if "numpy.random" in sys.modules:
        cast("Any", sys.modules["numpy.random"]).seed()


def imported() -> frozenset[str]:
    """What was imported, by the names that something else could take."""
    return frozenset(name.partition(".")[0] for name in sys.modules)


class Forgettable(NamedTuple):
    """Modules that can be imported again. To find them touches all modules, which a fork would share no more."""

    modules: tuple[str, ...]
    ours: tuple[str, ...]  # those of them that no notebook has
    kept: frozenset[str]  # the packages of the others


def forgettable(kept: frozenset[str]) -> Forgettable:
    """The modules of packages besides `kept` that can be imported again, and ours, whose name the image may have too.

    The standard library stays, which nothing takes the place of, and so does what cannot be loaded twice.
    """
    library = sysconfig.get_path("stdlib") + "/"
    found: dict[str, list[str]] = {}
    for name, module in list(sys.modules.items()):
        path = str(getattr(module, "__file__", None) or library)
        found.setdefault(name.partition(".")[0], []).append(path)
    able = {
        name
        for name, paths in found.items()
        if not any(path.endswith(".so") or _is_in(library, path) for path in paths)
    }
    gone = frozenset(able - kept) | OURS
    modules, ours = (tuple(name for name in sys.modules if name.partition(".")[0] in one) for one in (gone, OURS))
    return Forgettable(modules, ours, imported() - gone)


def _is_in(library: str, path: str) -> bool:
    return path.startswith(library) and "/site-packages/" not in path


def gather() -> None:
    """Have the names of all modules lie together in memory: a fork that forgets some writes to each of their names."""
    for name in list(sys.modules):
        sys.modules[copied(name)] = sys.modules.pop(name)


def copied(text: str) -> str:
    """The same text at another place in memory."""
    return text.encode(errors="surrogatepass").decode(errors="surrogatepass")


def forget(modules: Iterable[str]) -> list[object]:
    """Have these modules no more: whoever imports them gets them as they are by then.

    They come back to be held on to: to free what is shared with other forks would take memory.
    """
    return [sys.modules.pop(name, None) for name in modules]


def run(argv: Sequence[str], *more: str) -> NoReturn:
    """Run `python -m module …` as the command line says, with more arguments, and end as an interpreter ends."""
    sys.argv[:] = ["-m", *argv[3:], *more]
    with suppress(AttributeError):
        sys.orig_argv[:] = argv
    code: object = 0
    try:
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - the edge of this program
        traceback.print_exc()
        code = 1
    leave(code)


def leave(code: object) -> NoReturn:
    """End with this exit status, or with this text on standard error, after everything that is to be done at an end."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as an interpreter does
    with suppress(Exception):
        cast("Any", threading)._shutdown()  # noqa: SLF001 - what an interpreter calls at its end
        cast("Any", atexit)._run_exitfuncs()  # noqa: SLF001 - as above
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)
