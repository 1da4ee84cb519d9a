"""Directories made and given away without following a link that somebody else put there."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.launches.spec import Failed, Paths, Spec

WALK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN = 0o1777  # as /tmp is
CROSSABLE = 0o711  # others may pass through to what is theirs, and see nothing


def prepare(spec: Spec, paths: Paths) -> None:
    """Make the home, the layer's directory and the notebook's own run directory, each given to its uid."""
    for above in (f"{paths.data}/homes", f"{paths.data}/layers", paths.run):
        make(above, CROSSABLE, None)
    make(paths.layer, 0o700, spec.uid)
    make(paths.shared, 0o700, spec.uid)
    make(paths.home, 0o700, spec.uid)
    make(paths.own, 0o700, spec.uid)
    if os.geteuid() == 0:
        make(os.path.dirname(paths.temporary), 0o700, None)
        remove_tree(paths.temporary)  # of a start whose keeper died
        make(paths.temporary, 0o700, None)
        for place in paths.scratch:
            make(place, OPEN, spec.uid)


def must_have_room(place: str, reserve: int) -> None:
    """`Failed` with `no_space` where less than `reserve` bytes are free, to us as to everybody."""
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    if free < reserve:
        said = (
            f"Only {free >> 20} MiB are free on this machine's disk, and {reserve >> 20} MiB of it are kept in reserve."
        )
        raise Failed("no_space", said)


def make(path: str, mode: int, uid: int | None) -> None:
    """Make one directory below an existing one, and give it to `uid`; one that is another's is refused."""
    parent = os.open(os.path.dirname(path), WALK)
    try:
        name = os.path.basename(path)
        made = False
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
            made = True
        here = os.open(name, WALK, dir_fd=parent)
        try:
            if made:
                os.fchmod(here, mode)
                if uid is not None:
                    os.fchown(here, uid, uid)
            elif uid is not None and os.fstat(here).st_uid not in {uid, 0}:
                raise Failed("unreachable", f"{path} belongs to another user of this machine; give it to uid {uid}.")
            elif uid is not None and os.fstat(here).st_uid == 0 and uid != 0:
                os.fchown(here, uid, uid)  # a keeper that died between making it and giving it away
        finally:
            os.close(here)
    finally:
        os.close(parent)


def open_beneath(root: str, relative: str) -> int:
    """A path descriptor of a directory below `root`; OSError when a part is missing or is a link."""
    here = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    for part in relative.split("/"):
        if part in {"", "."}:
            continue
        if part == "..":
            os.close(here)
            raise PermissionError(f"{relative} leaves the home")
        try:
            there = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        finally:
            os.close(here)
        here = there
    return here


def remove_tree(path: str) -> None:
    """Remove a directory and all that is in it; OSError when something of it stays, nothing when there is none.

    Somebody else may have filled it: no link is followed, and however deep it is, neither the stack nor the number of
    descriptors grows. What lies deep is moved up instead.
    """
    try:
        top = os.open(path, WALK)
    except FileNotFoundError:
        return
    try:
        while names := os.listdir(top):
            for name in names:
                _remove_entry(top, name)
    finally:
        os.close(top)
    os.rmdir(path)


def _remove_entry(top: int, name: str) -> None:
    """Remove one entry of `top`; the directories in it become entries of `top`."""
    if _unlink(name, top):
        return
    _open_up(name, top)
    here = os.open(name, WALK, dir_fd=top)
    try:
        for below in os.listdir(here):
            if not _unlink(below, here):
                _open_up(below, here)
                os.rename(below, f".{secrets.token_hex(8)}", src_dir_fd=here, dst_dir_fd=top)
    finally:
        os.close(here)
    os.rmdir(name, dir_fd=top)


def _unlink(name: str, above: int) -> bool:
    """Remove anything but a directory; False when it is one."""
    try:
        os.unlink(name, dir_fd=above)
    except IsADirectoryError:
        return False
    return True


def _open_up(name: str, above: int) -> None:
    """Let its owner list and move a directory; root may anyway, and so follows nothing that is put in its place."""
    if os.geteuid() != 0:
        os.chmod(name, 0o700, dir_fd=above)
