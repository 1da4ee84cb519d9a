"""Making a fork of a fork server the notebook's own server, without executing a program.

The result is what executing it would have given: environment, paths, `sys`, signals, descriptors, what other programs
see in /proc. Where that cannot be had (a layer shadows what was imported), the program is to be executed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.startup.layer import Interpreter, site_of
from trivium.drivers.runtimes.process.keeper.startup.program import Program
from trivium.drivers.runtimes.process.keeper.startup.steps import Plan
from trivium.drivers.runtimes.process.keeper.system import descriptors, linux
from trivium.drivers.runtimes.process.keeper.warm import interpreter, kernel_server, modules, started_as
from trivium.drivers.runtimes.process.keeper.warm.kernel_server import Filters, KernelServer
from trivium.drivers.runtimes.process.keeper.warm.modules import Unloadable
from trivium.drivers.runtimes.process.keeper.warm.relocation import Relocation, relocate

UseKernelServer = Callable[[KernelServer], "list[str]"]


class Preloaded(NamedTuple):
    """What a fork server has imported, and the layer, home and user's name that stand for those of a launch."""

    venv: str
    home: str
    user: str
    interpreter: Interpreter
    relocations: tuple[Relocation, ...]  # what was computed from the three
    names: frozenset[str]  # the top-level names of what was imported
    unloadable: Unloadable  # what of that a kernel does not have when it begins
    kernel_filters: Filters
    use_kernel_server: UseKernelServer | None  # None where the image's Jupyter is too old for forked kernels


def specialize(plan: Plan, preloaded: Preloaded, program: Program) -> None:
    """Run the program in this process, which has the notebook's rights by now.

    Comes back, with nothing changed, where the program must be executed instead.
    """
    sites = [site_of(place, preloaded.interpreter) for place in (plan.paths.venv, *reversed(plan.spec.layers))]
    if modules.is_shadowed(preloaded.names, plan.paths.home, sites):
        return
    gc.enable()
    descriptors.close_all_but()
    linux.allow_to_be_seen()
    interpreter.reset_signals()
    words = {
        preloaded.venv: plan.paths.venv,
        preloaded.home: plan.paths.home,
        preloaded.user: program.environment["USER"],
    }
    relocate(preloaded.relocations, words)
    interpreter.set_environment(program.environment)
    # Where notebooks share a uid, whoever runs one could read the token there.
    shown = {name: value for name, value in program.environment.items() if value != plan.spec.token}
    started_as.show(program.argv, shown)
    _set_path(plan.paths.home, sites)
    interpreter.reseed()
    options = _start_kernel_server(preloaded, tuple(sites))
    modules.unload(preloaded.unloadable.ours)
    interpreter.run(program.argv, *options)


def _start_kernel_server(preloaded: Preloaded, sites: tuple[str, ...]) -> list[str]:
    """Fork what kernels are forked of; the options by which the server uses it."""
    if preloaded.use_kernel_server is None:
        return []
    try:
        return preloaded.use_kernel_server(kernel_server.start(preloaded.unloadable, preloaded.kernel_filters, sites))
    except OSError:
        return []  # kernels are programs that are started


def _set_path(home: str, sites: list[str]) -> None:
    """`sys.path` as an interpreter has it that runs a module in the home: saved layers follow the launch's own."""
    after = sys.path.index(sites[0]) + 1
    # What the image's own .pth files lead to may lie where a notebook sees nothing.
    sys.path[after:] = sites[1:] + [place for place in sys.path[after:] if os.path.exists(place)]
    sys.path.insert(0, home)
