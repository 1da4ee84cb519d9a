"""Becoming a notebook's server without executing it, in a fork of a process that has imported it.

The result is what executing the program would have given: environment, places, `sys`, signals, descriptors, what other
programs see in /proc. Where that cannot be had (a layer has something that would have been imported instead), the
program is executed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, cast

from trivium.drivers.runtimes.process.keeper import interpreter, kernel, kernels
from trivium.drivers.runtimes.process.keeper.interpreter import OURS
from trivium.drivers.runtimes.process.keeper.kernels import Nest
from trivium.drivers.runtimes.process.keeper.layer import Interpreter, site_of
from trivium.drivers.runtimes.process.keeper.program import Program
from trivium.drivers.runtimes.process.keeper.starting import Plan

DEPTH = 5  # how deep in a module's values places are looked for


class Spot(NamedTuple):
    """A value that was computed from where the parent's layer or home lies."""

    put: Callable[[object], None]
    value: object


class Template(NamedTuple):
    """What a parent was made for: a layer, a home and a user's name that stand for those of a launch."""

    venv: str
    home: str
    user: str
    interpreter: Interpreter
    spots: tuple[Spot, ...]
    names: frozenset[str]  # what was imported
    forgettable: interpreter.Forgettable  # what of that no kernel has when it begins
    furnish: Callable[[Nest], list[str]] | None  # lets the server take its kernels from a nest, where it can


def spots_of(*words: str) -> tuple[Spot, ...]:
    """Every value of a module that was computed from these places and names."""
    found: list[Spot] = []
    seen: set[int] = {id(sys.modules), id(sys.path_importer_cache), id(os.environ), id(sys.argv)}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "__main__").partition(".")[0] not in OURS | {"__main__"}:
            _search(vars(module), words, seen, found=found, depth=0)
    return tuple(found)


def become(plan: Plan, template: Template, program: Program) -> None:
    """Become the program; comes back, with nothing changed, where it must be executed. With the notebook's rights."""
    sites = [site_of(place, template.interpreter) for place in (plan.paths.venv, *reversed(plan.spec.layers))]
    if interpreter.is_shadowed(template.names, plan.paths.home, sites):
        return
    gc.enable()
    _close_descriptors()
    kernel.allow_to_be_seen()
    interpreter.reset_signals()
    interpreter.show(" ".join(program.argv), plan.mark)
    user = program.environment["USER"]
    _move(template, {template.venv: plan.paths.venv, template.home: plan.paths.home, template.user: user})
    interpreter.set_surroundings(program.environment)
    _set_path(plan.paths.home, sites)
    interpreter.make_unlike_others()
    options = _nest(template, tuple(sites))
    interpreter.forget(template.forgettable.ours)
    interpreter.run(program.argv, *options)


def _nest(template: Template, sites: tuple[str, ...]) -> list[str]:
    """Make where kernels are forked; the options that the server needs for that."""
    if template.furnish is None:
        return []
    try:
        return template.furnish(kernels.begin(template.forgettable, sites))
    except OSError:
        return []  # kernels are started


def _close_descriptors() -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:  # noqa: PLR2004 - standard error
            with suppress(OSError):
                os.close(int(name))


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


def _set_path(home: str, sites: list[str]) -> None:
    """`sys.path` as an interpreter has it that runs a module in the home: the saved layers follow the launch's own."""
    after = sys.path.index(sites[0]) + 1
    # What the image's own .pth files lead to may lie where a notebook sees nothing.
    sys.path[after:] = sites[1:] + [place for place in sys.path[after:] if os.path.exists(place)]
    sys.path.insert(0, home)


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
