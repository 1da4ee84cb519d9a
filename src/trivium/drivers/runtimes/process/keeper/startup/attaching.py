"""Directories of the home that are shown to a notebook that runs, and taken away from it again.

They are shown below one directory in memory, root's own, that was made with the notebook's namespace: nobody but root
makes anything in it, so no link of the notebook's user leads what is done here astray. What is shown is looked up in
the home without following any link. All of this is done by a process of its own, which enters the namespace, and which
reads no file and loads no library there.
"""

from __future__ import annotations

import os
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.launches.spec import Mount, Paths
from trivium.drivers.runtimes.process.keeper.startup import namespaces
from trivium.drivers.runtimes.process.keeper.system import linux, mounts
from trivium.drivers.runtimes.process.keeper.system.folders import open_beneath
from trivium.drivers.runtimes.process.keeper.system.processes import Identity, identify

PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def enter(main: Identity) -> None:
    """Move to the namespace of a notebook that runs. OSError when it does not, or was made without one."""
    handles = namespaces.open_of(main.pid)
    if identify(main.pid) != main:
        raise ProcessLookupError("the notebook does not run")
    own = os.stat("/proc/self/ns/mnt").st_ino
    namespaces.enter(handles)
    if os.stat("/proc/self/ns/mnt").st_ino == own:
        raise PermissionError("the notebook has no mount namespace")


def attach(paths: Paths, area: str, mount: Mount) -> None:
    """Show a directory of the home. Repeatable; OSError when it cannot be."""
    name = _name(area, mount.target)
    above = _open_area(area)
    source = open_beneath(paths.home, mount.source)
    with suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=above)
    place = os.open(name, PLACE, dir_fd=above)
    if _is_same(place, source):
        return
    if os.fstat(place).st_dev != os.fstat(above).st_dev:
        raise FileExistsError(f"something else is shown at {mount.target}")
    linux.bind(f"/proc/self/fd/{source}", f"/proc/self/fd/{place}")
    if not mount.writable:
        try:
            linux.make_readonly(mount.target)
        except OSError:
            linux.unmount(mount.target)
            raise


def detach(area: str, target: str) -> None:
    """Take away what is shown; who has files open in it keeps them. Repeatable; OSError when it cannot be."""
    name = _name(area, target)
    above = _open_area(area)
    try:
        place = os.open(name, PLACE, dir_fd=above)
    except FileNotFoundError:
        return
    is_shown = os.fstat(place).st_dev != os.fstat(above).st_dev
    os.close(place)
    if is_shown:
        linux.unmount(target)
    os.rmdir(name, dir_fd=above)


def _open_area(area: str) -> int:
    """The directory in memory below which things are shown."""
    above = os.open(area, PLACE)
    if os.fstat(above).st_uid != 0 or not mounts.is_memory(area):
        raise NotADirectoryError(f"nothing can be shown below {area}")
    return above


def _name(area: str, target: str) -> str:
    """The target's own name, which is all that it has beyond the area."""
    above, _, name = target.rpartition("/")
    if above != area or name in {"", ".", ".."}:
        raise NotADirectoryError(f"{target} does not lie in {area}")
    return name


def _is_same(one: int, other: int) -> bool:
    first, second = os.fstat(one), os.fstat(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
