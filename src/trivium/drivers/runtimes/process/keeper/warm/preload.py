"""What a fork server imports: all that Jupyter's server and a kernel import when they start."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper import boot
from trivium.drivers.runtimes.process.keeper.system.processes import read
from trivium.drivers.runtimes.process.keeper.warm import modules
from trivium.drivers.runtimes.process.keeper.warm.kernel_server import Filters
from trivium.drivers.runtimes.process.keeper.warm.specialize import UseKernelServer

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


class KernelImports(NamedTuple):
    """What a kernel has when it begins."""

    names: frozenset[str]  # the top-level names of all that is imported
    filters: Filters  # of warnings, which what a server imports adds to


def import_kernel() -> KernelImports:
    """Import what a kernel imports."""
    _import(KERNEL)
    return KernelImports(modules.top_level(), tuple(warnings.filters))


def import_server(data: str) -> None:
    """Import what Jupyter's server imports, the image's server extensions included. `data`: sysconfig's path."""
    _import(SERVER)
    _import(_services())
    extensions = _extensions(data)
    _import(extensions)
    _import(_extension_points(extensions))
    _import(LATE)


def import_provisioner() -> UseKernelServer | None:
    """What lets Jupyter's server use a kernel server; None where the image's Jupyter is too old for that."""
    try:
        return importlib.import_module(f"{boot.PACKAGE}.keeper.warm.provisioner").use
    except ImportError:
        return None


def _import(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):  # what cannot be imported here, the server will complain of
            importlib.import_module(name)


def _services() -> list[str]:
    """The modules of Jupyter's services, which its server imports by name when it starts."""
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


def _extension_points(extensions: Iterable[str]) -> list[str]:
    """The modules that these extensions name as theirs for the server to load."""
    found: list[str] = []
    for name in extensions:
        with suppress(Exception):  # as with an import
            found += [str(point["module"]) for point in vars(sys.modules[name])["_jupyter_server_extension_points"]()]
    return found
