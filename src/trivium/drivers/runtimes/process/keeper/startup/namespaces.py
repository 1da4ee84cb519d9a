"""The mount and IPC namespaces of a launch: what it needs is shown to it, what is not its own is hidden.

A directory that the notebook's user may not cross (an interpreter under `/root`, the data directory) is covered with an
empty one in memory, in which only what the launch needs is shown, at the same path. Directories that everybody may
write to (`/tmp` and its like) are covered with directories of the launch's own. Seen by nobody else.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.spec import Failed, Mount, Paths, Spec
from trivium.drivers.runtimes.process.keeper.startup import targets
from trivium.drivers.runtimes.process.keeper.startup.layer import python_of
from trivium.drivers.runtimes.process.keeper.startup.targets import LINKS, Namespace, acting_as, is_below, may_cross
from trivium.drivers.runtimes.process.keeper.system import linux, mounts
from trivium.drivers.runtimes.process.keeper.system.folders import open_beneath

CLOSED = 0o700
SCRATCH = ("/tmp", "/var/tmp")  # noqa: S108 - what is covered, and never written to
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - as above
TERMINALS = "/dev/pts"
MOST_TERMINALS = 256


class Need(NamedTuple):
    """A directory that the launch must reach."""

    path: str
    writable: bool


class Resolved(NamedTuple):
    """Where a path leads."""

    path: str
    links: tuple[tuple[str, str], ...]  # each link on the way, and what it says


def make(spec: Spec, paths: Paths) -> None:
    """Move the calling process to new namespaces, made for this launch. OSError when the kernel refuses."""
    linux.unshare_mounts()
    linux.unshare_ipc()
    os.umask(0o022)  # what is made in memory must be crossed by the notebook's user
    for place in (f"{paths.data}/homes", f"{paths.data}/layers", paths.run):
        os.chmod(place, CLOSED)  # what a launch needs of them is shown to it, and by no other way reached
    hide_processes()
    _own_shared_memory(spec.memory)
    _own_terminals()
    resolved = [(resolve(need.path), need.writable) for need in needs(spec, paths)]
    sources = [_source(mount, paths.shared) for mount in spec.mounts]  # before the home they are in may be hidden
    hidden = {os.path.realpath(place): -1 for place in (paths.data, paths.sockets)}
    memory = _cover(resolved, covers={**_scratch(paths), **hidden}, uid=spec.uid)
    inside = (paths.layer, *(one.path for one, _ in resolved))
    namespace = Namespace(inside, os.path.realpath(paths.own), memory)
    if spec.attach_at is not None:
        _make_area(spec.attach_at, spec, namespace)
    for mount, source in zip(spec.mounts, sources):  # noqa: B905 - Python 3.9 does not know `strict`
        _mount(mount, source, spec=spec, namespace=namespace)


def hide_processes() -> bool:
    """A `/proc` without other users' processes, what is mounted below it kept; False where the kernel has none."""
    below = [mount.place for mount in mounts.mounts() if mount.place.startswith("/proc/")]
    kept = [(place, os.open(place, os.O_PATH | os.O_CLOEXEC)) for place in dict.fromkeys(below)]
    try:
        linux.mount_proc("/proc")
    except OSError:
        return False
    else:
        for place, handle in kept:  # a container's covers, under which the host would show
            linux.bind(f"/proc/self/fd/{handle}", place)
        return True
    finally:
        for _, handle in kept:
            os.close(handle)


def open_of(pid: int) -> list[tuple[str, int]]:
    """The namespaces that a process of a launch is in, each with a descriptor, to `enter` them."""
    kinds = [kind for kind in ("ipc", "mnt") if os.path.exists(f"/proc/{pid}/ns/{kind}")]
    return [(kind, os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)) for kind in kinds]


def enter(handles: list[tuple[str, int]]) -> None:
    """Move the calling process to these namespaces, as they were made for the launch.

    PermissionError when the notebook has left them for some of its own, where it mounts what it likes.
    """
    for kind, handle in handles:
        if not linux.is_of_own_users(handle):
            raise PermissionError(errno.EPERM, f"the notebook has a namespace ({kind}) of its own making")
    for kind, handle in handles:
        own, there = os.stat(f"/proc/self/ns/{kind}"), os.fstat(handle)
        if not os.path.samestat(own, there):
            linux.enter(handle)
        os.close(handle)


def needs(spec: Spec, paths: Paths) -> list[Need]:
    """What the launch must reach: the image, its interpreter, the layers, the home, its own directory for sockets."""
    read = [spec.image, *spec.layers, *interpreter_homes(spec.image)]
    return [
        *(Need(path, writable=False) for path in dict.fromkeys(read)),
        *(Need(path, writable=True) for path in (paths.layer, paths.home, paths.own)),
    ]


def interpreter_homes(image: str) -> list[str]:
    """The directories in which an environment's interpreter and its standard library lie."""
    python = python_of(image)
    if python is None:
        return []
    programs = [os.path.realpath(python)]
    with suppress(OSError), open(f"{image}/pyvenv.cfg", encoding="utf-8") as file:
        words = dict(line.split("=", 1) for line in file if "=" in line)
        settings = {name.strip(): value.strip() for name, value in words.items()}
        if "home" in settings:
            programs.append(f"{settings['home']}/python")
    return [os.path.dirname(os.path.dirname(program)) for program in programs]


def resolve(path: str) -> Resolved:
    """Where a path leads, and over which links."""
    links: list[tuple[str, str]] = []
    waiting = [part for part in reversed(path.split("/")) if part]
    here = ""
    while waiting:
        part = waiting.pop()
        if part == "..":
            here = os.path.dirname(here).rstrip("/")
            continue
        there = f"{here}/{part}"
        if part == "." or not os.path.islink(there):
            here = here if part == "." else there
            continue
        target = os.readlink(there)
        links.append((there, target))
        if len(links) > LINKS:
            raise Failed("environment_gone", f"{path} leads round in a circle.")
        here = "" if target.startswith("/") else here
        waiting.extend(one for one in reversed(target.split("/")) if one)
    return Resolved(here or "/", tuple(links))


def first_uncrossable(path: str, uid: int | None) -> str | None:
    """The first directory above `path` that `uid` may not cross; None when the way is free."""
    parts = path.split("/")[1:-1]
    here = ""
    for part in parts:
        here = f"{here}/{part}"
        if not may_cross(os.stat(here), uid):
            return here
    return None


def link(spec: Spec, paths: Paths) -> None:
    """Without a namespace: a link in the home for each writable mount below it; `Failed` for any other."""
    for mount in spec.mounts:
        target = os.path.normpath(mount.target)
        if not mount.writable or not is_below(target, paths.home):
            raise Failed("failed_to_start", f"{mount.target} cannot be mounted without mount namespaces on this host.")
        with acting_as(spec.uid):
            _link(target, mount.source, paths.shared)


def _link(target: str, source: str, home: str) -> None:
    try:
        os.close(open_beneath(home, source))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        wanted = f"{home}/{os.path.normpath(source)}"
        if not (os.path.islink(target) and os.readlink(target) == wanted):
            os.symlink(wanted, target)
    except OSError as error:
        detail = f"{source} cannot be shown at {target}: {error.strerror or error}."
        raise Failed("failed_to_start", detail) from error


def _own_shared_memory(size: int) -> None:
    """An empty `/dev/shm` of this launch's own, as large as the memory that it may have."""
    if os.path.isdir(SHARED_MEMORY):
        linux.mount_tmpfs(SHARED_MEMORY, size=str(size), mode=0o1777)


def _own_terminals() -> None:
    """Pseudo-terminals of this launch's own: the machine has some thousand for everybody.

    Where the kernel refuses, the launch has the machine's, as it would anyway.
    """
    with suppress(OSError):
        linux.mount_terminals(TERMINALS, MOST_TERMINALS)


def _scratch(paths: Paths) -> dict[str, int]:
    """The directories for temporary files, each with a descriptor of what the launch has in its place."""
    pairs = zip(SCRATCH, paths.scratch)  # noqa: B905 - as above
    found = {os.path.realpath(place): own for place, own in pairs if os.path.isdir(place)}
    return {place: os.open(own, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for place, own in found.items()}


def _cover(resolved: list[tuple[Resolved, bool]], covers: dict[str, int], uid: int | None) -> set[int]:
    """Cover what may not be crossed, and show the needed directories in it; the devices of what is in memory then.

    `covers` are places to cover besides, each with a descriptor of a directory to cover it with, which is closed, or -1
    for an empty one in memory.
    """
    ordered = sorted(resolved, key=lambda one: one[0].path.count("/"))
    handles = [(one.path, writable, os.open(one.path, os.O_PATH | os.O_CLOEXEC)) for one, writable in ordered]
    stops = set(covers)
    reached = [path for one, _ in ordered for path in (one.path, *(link for link, _ in one.links))]
    stops.update(stop for path in reached if (stop := first_uncrossable(path, uid)))
    covered = [place for place in sorted(stops) if not any(is_below(place, other) for other in stops)]
    memory = _mount_covers(covered, covers)
    _recreate_links([link for one, _ in ordered for link in one.links], covered)
    for path, writable, handle in handles:
        if any(is_below(path, place) for place in covered):
            os.makedirs(path, mode=0o755, exist_ok=True)
        linux.bind(f"/proc/self/fd/{handle}", path)
        if not writable:
            linux.make_readonly(path)
        os.close(handle)
    return memory


def _mount_covers(covered: list[str], covers: dict[str, int]) -> set[int]:
    memory: set[int] = set()
    for place in covered:
        if covers.get(place, -1) < 0:
            linux.mount_tmpfs(place)
            memory.add(os.stat(place).st_dev)
        else:
            linux.bind(f"/proc/self/fd/{covers[place]}", place)
    for handle in covers.values():
        if handle >= 0:
            os.close(handle)
    return memory


def _recreate_links(links: list[tuple[str, str]], covered: list[str]) -> None:
    """Make the links to what the launch needs again, where they are covered now."""
    for link, target in links:
        if any(is_below(link, place) for place in covered) and not os.path.lexists(link):
            os.makedirs(os.path.dirname(link), mode=0o755, exist_ok=True)
            os.symlink(target, link)


def _source(mount: Mount, home: str) -> int:
    try:
        return open_beneath(home, mount.source)
    except OSError as error:
        detail = f"{mount.source} is no directory of the home: {error.strerror or error}."
        raise Failed("failed_to_start", detail) from error


def _mount(mount: Mount, source: int, *, spec: Spec, namespace: Namespace) -> None:
    """Show one directory of the home at the place that was asked for."""
    try:
        target = targets.opened(mount.target, spec.uid, namespace)
        try:
            linux.bind(f"/proc/self/fd/{source}", f"/proc/self/fd/{target.place}")
            if not mount.writable:
                target.make_readonly(source)
        finally:
            target.close()
    except OSError as error:
        detail = f"Nothing can be mounted at {mount.target}: {error.strerror or error}."
        raise Failed("failed_to_start", detail) from error
    finally:
        os.close(source)


def _make_area(place: str, spec: Spec, namespace: Namespace) -> None:
    """An empty directory in memory, root's own, in which `attaching` shows directories later.

    Where it cannot be, that is missed only once something is to be shown: the notebook's own things may lie there, or
    the root directory have too many entries.
    """
    with suppress(Failed, OSError):
        target = targets.opened(place, spec.uid, namespace)
        try:
            linux.mount_tmpfs(f"/proc/self/fd/{target.place}")
            namespace.memory.add(target.device())
        finally:
            target.close()
