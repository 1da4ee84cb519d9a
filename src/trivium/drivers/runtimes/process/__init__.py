"""The process runtime: a notebook is a tree of processes on this machine, kept by a keeper that outlives the server.

The keeper's own program, which has only the standard library, passes this file over (`keeper/boot.py`).
"""

from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings, run_directory

__all__ = ["ProcessRuntime", "ProcessSettings", "run_directory"]
