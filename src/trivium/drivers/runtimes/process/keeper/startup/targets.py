"""The places that a launch's mounts are asked for at: found, and made where they are not there.

Root looks for them while other processes of the notebook's user run, for whom the home is the same. So each step is
taken from a descriptor of the one before, no link is followed that the user may have made, and root makes something
only in directories in memory that are root's own; everything else is made with the user's rights.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.spec import Failed
from trivium.drivers.runtimes.process.keeper.system import linux

LINKS = 40  # as many as the kernel follows
ENTRIES = 1000  # a directory with more is not copied so that a mount point can be made in it
FORBIDDEN = tuple(
    f"/{name}"
    for name in ("bin", "boot", "dev", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "usr")
)
"""What root itself goes by while it mounts the rest."""

KEPT_FROM = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
PLACE = STEP | os.O_DIRECTORY


class Namespace(NamedTuple):
    """What a mount must know of the namespace it is shown in."""

    inside: tuple[str, ...]  # where the launch itself lies, without links
    scratch: str  # a directory that only root can move or replace, to put others together over
    memory: set[int]  # the devices of directories in memory that are root's own


class Target(NamedTuple):
    """A directory that something is to be mounted at. `close` lets go of it."""

    place: int  # a descriptor of it
    above: int  # a descriptor of the directory that it is in
    name: str

    def make_readonly(self, source: int) -> None:
        """Make what is mounted here now, which is `source`, read-only. OSError where something else is here."""
        shown = os.open(self.name, PLACE, dir_fd=self.above)
        try:
            if not os.path.samestat(os.fstat(shown), os.fstat(source)):
                raise FileExistsError(f"{self.name} was moved meanwhile")
            linux.make_readonly(f"/proc/self/fd/{shown}")
        finally:
            os.close(shown)

    def device(self) -> int:
        """The device of what is mounted here now."""
        return os.stat(self.name, dir_fd=self.above, follow_symlinks=False).st_dev

    def close(self) -> None:
        """Let go of it."""
        os.close(self.place)
        os.close(self.above)


def opened(target: str, uid: int | None, namespace: Namespace) -> Target:
    """The directory at `target`, made where there is none, in a way that the host does not see.

    Raises `Failed` for a place where nothing may be mounted, OSError where nothing can be.
    """
    if not target.startswith("/") or ".." in target.split("/") or os.path.normpath(target) == "/":
        raise Failed("failed_to_start", f"{target} is no absolute path of a directory to mount at.")
    is_copied = False
    while True:
        walk = _Walk(target, uid)
        try:
            walk.go()
            _check(target, walk.leads_to(), namespace)
            walk.stop_at_what_is_closed()
            if walk.make(namespace.memory):
                return walk.taken()
            if is_copied or os.fstat(walk.place).st_uid == uid:
                raise PermissionError(0, "the notebook's user can make no directory there")
            _replace_by_copy(walk.place, walk.path(), uid, namespace=namespace)
            is_copied = True
        finally:
            walk.close()


def may_cross(entry: os.stat_result, uid: int | None) -> bool:
    """Whether a user, whose group has the same number, may pass through a directory."""
    if uid in {None, 0}:
        return True
    if entry.st_uid == uid:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == uid:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def is_below(path: str, place: str) -> bool:
    """Whether a path lies in a directory."""
    return path.startswith(place.rstrip("/") + "/")


@contextmanager
def acting_as(uid: int | None) -> Generator[None]:
    """Make what follows with the user's rights and no more."""
    if uid is None or os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


class _Walk:
    """The directories from the root to where a path leads, as far as they are there."""

    def __init__(self, target: str, uid: int | None) -> None:
        self._target = target
        self._uid = uid
        self._stack = [("", os.open("/", PLACE))]
        self._waiting = _parts(target)

    @property
    def place(self) -> int:
        """A descriptor of the last one."""
        return self._stack[-1][1]

    def path(self) -> str:
        """Where that is."""
        return "/".join(name for name, _ in self._stack) or "/"

    def leads_to(self) -> str:
        """Where the whole path leads once all of it is there."""
        return "/" + "/".join([name for name, _ in self._stack[1:]] + self._waiting[::-1])

    def go(self) -> None:
        """Walk as far as there is something. `Failed` at a link of the user's, OSError at what is no directory."""
        links = 0
        while self._waiting:
            part = self._waiting.pop()
            if part == "..":
                self._up()
                continue
            try:
                there = os.open(part, STEP, dir_fd=self.place)
            except FileNotFoundError:
                self._waiting.append(part)
                break
            if stat.S_ISLNK(os.fstat(there).st_mode):
                links += 1
                self._follow(part, there, links)
            else:
                self._stack.append((part, there))  # what is no directory holds nothing, so the next step fails
        if ".." in self._waiting:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def stop_at_what_is_closed(self) -> None:
        """Go back to the first directory that the notebook's user may not cross, if that is on the way."""
        above = self._stack if self._waiting else self._stack[:-1]
        for number, (_, descriptor) in enumerate(above, 1):
            if not may_cross(os.fstat(descriptor), self._uid):
                while len(self._stack) > number:
                    self._waiting.append(self._stack[-1][0])
                    self._up()
                return

    def make(self, memory: set[int]) -> bool:
        """Make what is not there; False where the notebook's user may not."""
        while self._waiting:
            part = self._waiting[-1]
            if not may_cross(os.fstat(self.place), self._uid):
                return False
            with acting_as(None if os.fstat(self.place).st_dev in memory else self._uid):
                try:
                    os.mkdir(part, 0o755, dir_fd=self.place)
                except FileExistsError:
                    pass
                except OSError as error:
                    if error.errno in KEPT_FROM:
                        return False
                    raise
            self._stack.append((part, os.open(part, PLACE, dir_fd=self.place)))
            self._waiting.pop()
        return True

    def taken(self) -> Target:
        """What was looked for. OSError for what is no directory."""
        above, name = self._stack[-2][1], self._stack[-1][0]
        if not stat.S_ISDIR(os.fstat(self.place).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return Target(os.dup(self.place), os.dup(above), name)

    def close(self) -> None:
        """Let go of everything."""
        for _, descriptor in self._stack:
            os.close(descriptor)

    def _follow(self, name: str, there: int, links: int) -> None:
        try:
            if links > LINKS or self._is_users(there):
                raise Failed("failed_to_start", f"Nothing may be mounted at {self._target}: {name} in it is a link.")
            said = os.readlink("", dir_fd=there)
        finally:
            os.close(there)
        while said.startswith("/") and len(self._stack) > 1:
            self._up()
        self._waiting.extend(_parts(said))

    def _is_users(self, there: int) -> bool:
        """Whether the notebook's user may have made a link that is in the last directory."""
        link, above = os.fstat(there), os.fstat(self.place)
        if self._uid is None:
            return False
        may_write = above.st_mode & stat.S_IWOTH or (above.st_gid == self._uid and above.st_mode & stat.S_IWGRP)
        return self._uid in {link.st_uid, above.st_uid} or bool(may_write)

    def _up(self) -> None:
        if len(self._stack) > 1:
            os.close(self._stack.pop()[1])


def _parts(path: str) -> list[str]:
    """The steps of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]


def _check(target: str, leads_to: str, namespace: Namespace) -> None:
    """Raise `Failed` where nothing may be mounted."""
    if any(leads_to == one or is_below(leads_to, one) for one in FORBIDDEN):
        raise Failed("failed_to_start", f"Nothing may be mounted at {target}: it belongs to the system.")
    if any(one == leads_to or is_below(one, leads_to) for one in namespace.inside):
        raise Failed("failed_to_start", f"Nothing may be mounted at {target}: the notebook itself lies there.")


def _replace_by_copy(place: int, path: str, uid: int | None, *, namespace: Namespace) -> None:
    """Replace a directory by one in memory with the same entries, so that another can be made in it.

    It is put together where only root gets to, and shown at its place when it is whole.
    """
    entries = _entries(place, path) if may_cross(os.fstat(place), uid) else []
    linux.mount_tmpfs(namespace.scratch, size="4m")
    new = os.open(namespace.scratch, PLACE)
    try:
        for name, handle in entries:
            _copy(name, handle, new)
        if is_below(namespace.scratch, path):  # the new directory itself, which was shown in it along with the rest
            linux.unmount(f"/proc/self/fd/{new}/{os.path.relpath(namespace.scratch, path)}")
        if path == "/":
            linux.move_root(namespace.scratch)
        else:
            linux.bind(f"/proc/self/fd/{new}", f"/proc/self/fd/{place}")
            linux.unmount(f"/proc/self/fd/{new}")
        namespace.memory.add(os.fstat(new).st_dev)
    except OSError:
        linux.unmount(f"/proc/self/fd/{new}")
        raise
    finally:
        os.close(new)


def _entries(place: int, path: str) -> list[tuple[str, int]]:
    """What is in a directory, each with a descriptor."""
    listing = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = os.listdir(listing)
        if len(names) > ENTRIES:
            raise OSError(0, f"{path} holds too many things")
        return [(name, os.open(name, STEP, dir_fd=listing)) for name in names]
    finally:
        os.close(listing)


def _copy(name: str, handle: int, new: int) -> None:
    """Show one entry, which is closed, in the new directory."""
    mode = os.fstat(handle).st_mode
    try:
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink("", dir_fd=handle), name, dir_fd=new)
            return
        if stat.S_ISDIR(mode):
            os.mkdir(name, dir_fd=new)
            there = os.open(name, PLACE, dir_fd=new)
        else:
            there = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=new)
        linux.bind(f"/proc/self/fd/{handle}", f"/proc/self/fd/{there}")
        os.close(there)
    finally:
        os.close(handle)
