"""What a process gives up when it becomes a notebook's: everything that its user could not have by themselves."""

from __future__ import annotations

import os
import resource
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.system import linux


def drop(uid: int | None, *, processes: int | None = None) -> None:
    """Become the notebook's user for good, with no way back and nothing of the keeper's.

    `uid` is None where the keeper is no root and everything runs as what it is. `processes` bounds all that the user
    has on this machine, where it is given. Nothing here reads a file or loads a library: a command that enters a
    notebook drops its rights in what the user made of the file system.
    """
    if processes is not None:
        with suppress(ValueError, OSError):  # the server's own end is nearer
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory with tokens in it, in a home or wherever cores go
    linux.give_up_capabilities()
    if uid is not None and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    linux.leave_session_keyring()
    linux.refuse_new_privileges()
    os.umask(0o077)
