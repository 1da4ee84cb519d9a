"""What a fork server may run: only what nobody else can write to, and only as long as it stays as it was."""

from __future__ import annotations

import os
import stat
import sys
from typing import Optional

from trivium.drivers.runtimes.process.keeper.warm.modules import copy_text

Stamp = Optional[tuple[int, int, int]]  # inode, size and mtime; None of what is not there


def first_foreign(place: str) -> str | None:
    """The first path at, below or above `place` that somebody else than root and we could change; None when none is."""
    above: str = os.path.realpath(place)
    while above != "/":
        above = os.path.dirname(above)
        if not _is_ours(above, is_above=True):
            return above
    waiting = [os.path.realpath(place)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if not _is_ours(path, is_above=False):
            return path
        if path in seen or not os.path.isdir(path):
            continue
        seen.add(path)
        with os.scandir(path) as entries:
            waiting.extend(os.path.realpath(one.path) if one.is_symlink() else one.path for one in entries)
    return None


def imported_files() -> list[str]:
    """The files that were imported, and the directories of `sys.path`."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return [copy_text(path) for path in files.union(sys.path) if path]


def stamps_of(paths: list[str]) -> list[Stamp]:
    """What tells whether any of these has changed, or anything was added to or removed from a directory."""
    found: list[Stamp] = []
    for path in paths:
        try:
            entry = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((entry.st_ino, entry.st_size, entry.st_mtime_ns))
    return found


def _is_ours(path: str, *, is_above: bool) -> bool:
    try:
        entry = os.stat(path)
    except OSError:
        return True  # a link that leads nowhere
    if entry.st_uid not in {0, os.geteuid()}:
        return False
    if is_above and entry.st_mode & stat.S_ISVTX:  # what is ours in it stays ours
        return True
    is_own_group = entry.st_gid in {0, os.getegid()}
    return not entry.st_mode & (stat.S_IWOTH if is_own_group else stat.S_IWOTH | stat.S_IWGRP)
