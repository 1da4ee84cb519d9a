"""Becoming a notebook's server without executing it: what an interpreter does at its start, done in a fork of one.

The result is what executing the program would have given: environment, places, `sys`, signals, descriptors, what other
programs see in /proc. Where that cannot be had (a layer has something that would have been imported instead), the
program is executed.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import multiprocessing.process
import os
import runpy
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, cast

from trivium.drivers.runtimes.process.keeper import kernel
from trivium.drivers.runtimes.process.keeper.layer import CHAIN, Interpreter, site_of
from trivium.drivers.runtimes.process.keeper.members import MARK
from trivium.drivers.runtimes.process.keeper.processes import read
from trivium.drivers.runtimes.process.keeper.program import Program
from trivium.drivers.runtimes.process.keeper.starting import Plan

DEPTH = 5  # how deep in a module's values places are looked for
OWN = "trivium"


class Spot(NamedTuple):
    """A value that was computed from where the parent's layer or home lies."""

    put: Callable[[object], None]
    value: object


class Template(NamedTuple):
    """What a parent was made for: a layer and a home that stand for those of a launch."""

    venv: str
    home: str
    interpreter: Interpreter
    spots: tuple[Spot, ...]
    names: frozenset[str]  # what was imported, by the names that something else could take


def template_of(venv: str, home: str, interpreter: Interpreter) -> Template:
    """The template of this process, which has imported what it will."""
    names = frozenset(name.partition(".")[0] for name in sys.modules)
    return Template(venv, home, interpreter, tuple(_spots((venv, home))), names)


def become(plan: Plan, template: Template, program: Program) -> None:
    """Become the program; comes back, with nothing changed, where it must be executed. With the notebook's rights."""
    sites = [site_of(place, template.interpreter) for place in (plan.paths.venv, *reversed(plan.spec.layers))]
    if _is_shadowed(template, plan.paths.home, sites):
        return
    _close_descriptors()
    kernel.allow_to_be_seen()
    _reset_signals()
    _show(program, plan.mark)
    _move(template, {template.venv: plan.paths.venv, template.home: plan.paths.home})
    _set_environment(program.environment)
    _set_path(plan.paths.home, sites)
    _make_unlike_others()
    _run(program)


def _is_shadowed(template: Template, home: str, sites: list[str]) -> bool:
    """Whether anything would have been imported from elsewhere, or something else would have run first."""
    for place in (home, *sites):
        try:
            with os.scandir(place) as entries:
                if any(_is_in_the_way(entry, template, is_site=place != home) for entry in entries):
                    return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def _is_in_the_way(entry: os.DirEntry[str], template: Template, *, is_site: bool) -> bool:
    name, _, kind = entry.name.partition(".")
    if is_site and entry.name.endswith(".pth"):
        return entry.name != CHAIN
    if name not in template.names:
        return False
    if kind:
        return kind.endswith(("py", "pyc", "so"))
    return is_site or os.path.exists(f"{entry.path}/__init__.py")  # where there is none, the image's comes first


def _close_descriptors() -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:  # noqa: PLR2004 - standard error
            with suppress(OSError):
                os.close(int(name))


def _reset_signals() -> None:
    """Signals as an interpreter sets them when it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with suppress(AttributeError):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _show(program: Program, mark: str) -> None:
    """Write what runs, and the launch's mark, where other programs see them: in the memory that /proc shows."""
    fields = read("/proc/self/stat").rpartition(b")")[2].split()
    start, end, first, last = (int(fields[number]) for number in (45, 46, 47, 48))  # arg_start, arg_end, env_…
    title = " ".join(program.argv).encode(errors="surrogateescape")[: end - start - 2]
    ctypes.memmove(start, title + b"\0" + b"\1" * (end - start - len(title) - 1), end - start)
    place = ctypes.string_at(first, last - first).find(f"{MARK}=".encode())
    if place >= 0:
        ctypes.memmove(first + place + len(MARK) + 1, mark.encode(), len(mark))


def _move(template: Template, moves: dict[str, str]) -> None:
    """Put every value that was computed from the parent's places where it belongs."""
    for spot in template.spots:
        spot.put(_moved(spot.value, moves))
    for path in [one for one in sys.path_importer_cache if any(old in one for old in moves)]:
        sys.path_importer_cache.pop(path)


def _moved(value: object, moves: dict[str, str]) -> object:
    if isinstance(value, str):
        for old, new in moves.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, (list, tuple)):
        moved = [_moved(one, moves) for one in cast("Iterable[object]", value)]
        return moved if isinstance(value, list) else tuple(moved)
    return value


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None


def _set_path(home: str, sites: list[str]) -> None:
    """`sys.path` as an interpreter has it that runs a module in the home: the saved layers follow the launch's own."""
    after = sys.path.index(sites[0]) + 1
    sys.path[after:after] = sites[1:]
    sys.path.insert(0, home)
    importlib.invalidate_caches()


def _make_unlike_others() -> None:
    """Give this process what no other fork may have: its keys and its random numbers."""
    multiprocessing.process.current_process().authkey = os.urandom(32)
    if "numpy.random" in sys.modules:
        cast("Any", sys.modules["numpy.random"]).seed()
    for name in [name for name in sys.modules if name.partition(".")[0] == OWN]:
        del sys.modules[name]


def _run(program: Program) -> NoReturn:
    """Run what the command line says, and end as an interpreter ends."""
    sys.argv[:] = ["-m", *program.argv[3:]]
    with suppress(AttributeError):
        sys.orig_argv[:] = program.argv
    code: object = 0
    try:
        runpy.run_module(program.argv[2], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - the edge of this program
        traceback.print_exc()
        code = 1
    leave(code)


def leave(code: object) -> NoReturn:
    """End with this exit status, or with this text on standard error, after everything that is to be done at an end."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    if status == 1 and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as an interpreter does
    with suppress(Exception):
        cast("Any", threading)._shutdown()  # noqa: SLF001 - what an interpreter calls at its end
        cast("Any", atexit)._run_exitfuncs()  # noqa: SLF001 - as above
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)


def _spots(places: tuple[str, ...]) -> list[Spot]:
    """Every value of a module that has one of the places in it."""
    found: list[Spot] = []
    seen: set[int] = {id(sys.modules), id(sys.path_importer_cache), id(os.environ), id(sys.argv)}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", OWN).partition(".")[0] not in {OWN, "__main__"}:
            _search(vars(module), places, seen, found=found, depth=0)
    return found


def _search(values: dict[Any, Any], places: tuple[str, ...], seen: set[int], *, found: list[Spot], depth: int) -> None:
    for name, value in list(values.items()):
        if _has(value, places):
            found.append(Spot(_putter(values, name), value))
            continue
        below = _below(value)
        if below is None or depth >= DEPTH or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, type):
            _search_class(value, places, seen, found=found, depth=depth)
        else:
            _search(below, places, seen, found=found, depth=depth + 1)


def _search_class(kind: type, places: tuple[str, ...], seen: set[int], *, found: list[Spot], depth: int) -> None:
    for name, value in list(vars(kind).items()):
        if _has(value, places):
            found.append(Spot(_setter(kind, name), value))
        elif (below := _below(value)) is not None and id(value) not in seen and not isinstance(value, type):
            seen.add(id(value))
            _search(below, places, seen, found=found, depth=depth + 1)


def _has(value: object, places: tuple[str, ...]) -> bool:
    if isinstance(value, str):
        return any(place in value for place in places)
    if type(value) in {list, tuple}:
        return any(isinstance(one, str) and any(place in one for place in places) for one in cast("list[Any]", value))
    return False


def _below(value: object) -> dict[Any, Any] | None:
    """The values inside a value, where it may hold any."""
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value)
    if isinstance(value, type):
        return {}
    if type(value).__module__ == "builtins" or callable(value):
        return None
    with suppress(Exception):
        return vars(value)
    return None


def _putter(values: dict[Any, Any], name: object) -> Callable[[object], None]:
    if isinstance(values[name], list):
        return lambda new: values[name].__setitem__(slice(None), new)

    def put(new: object) -> None:
        values[name] = new

    return put


def _setter(kind: type, name: str) -> Callable[[object], None]:
    return lambda new: setattr(kind, name, new)
