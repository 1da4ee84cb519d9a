"""The Python code that starts one of the keeper's programs on an interpreter without Trivium's packages.

The server imports this module alone; what it starts runs in other processes.
"""

from __future__ import annotations

import hashlib
import os

PACKAGE = "trivium.drivers.runtimes.process"
SOCKET = "keeper.sock"  # the keeper's, in the directory for sockets
ROOT = os.path.realpath(__file__).rsplit("/", 6)[0]  # the directory that `trivium` lies in


def edition() -> str:
    """A digest over the keeper's programs as they are on the disk now, where an upgrade may have exchanged them."""
    whole = hashlib.sha256()
    for folder, _, names in sorted(os.walk(os.path.dirname(__file__))):
        for name in sorted(names):
            if name.endswith(".py"):
                with open(f"{folder}/{name}", "rb") as file:
                    whole.update(file.read())
    return whole.hexdigest()[:16]


def code(module: str) -> str:
    """What to hand to `python -c`, with ROOT and the arguments of the module's `main` after it.

    The package's `__init__` is passed over, because it needs installed packages. ROOT does not stay in `sys.path`.
    """
    return f"""
import sys, types
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]
package = sys.modules["{PACKAGE}"] = types.ModuleType("{PACKAGE}")
package.__path__ = [sys.argv[1] + "/{PACKAGE.replace(".", "/")}"]
from {PACKAGE}.keeper.{module} import main
del sys.path[0]
main(*sys.argv[2:])
"""
