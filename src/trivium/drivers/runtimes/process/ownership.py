"""Whether an environment is the operator's alone: what a notebook could write there would run in all others."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

FIRST = 65536  # uids from here on may be given to notebooks, where no account of this machine has them


class WritableByOthers(PermissionError):
    """Something in an environment, or above it, may be written to by others than the operator."""


class OwnershipCheck:
    """Looks at the entries of one environment; keeps in mind which uids are accounts of this machine."""

    def __init__(self) -> None:
        self._users: dict[int, bool] = {os.geteuid(): True}
        self._groups: dict[int, bool] = {os.getegid(): True}

    def check_entry(self, path: str, entry: os.stat_result, *, above: bool = False) -> None:
        """Raise `WritableByOthers` when a notebook's user may write to an entry.

        A directory `above` an environment may be open to everybody where nobody can move what is another's in it.
        """
        if stat.S_ISLNK(entry.st_mode):
            return  # as good as the directory that it is in
        is_sticky = above and bool(entry.st_mode & stat.S_ISVTX)
        if entry.st_mode & stat.S_IWOTH and not is_sticky:
            raise WritableByOthers(f"{path} may be written to by everybody; take that right away: chmod o-w {path}")
        if not self._is_trusted(entry.st_uid):
            raise WritableByOthers(f"{path} belongs to uid {entry.st_uid}, which may be a notebook's; give it to root")
        if entry.st_mode & stat.S_IWGRP and not is_sticky and not self._is_trusted_group(entry.st_gid):
            raise WritableByOthers(
                f"{path} may be written to by group {entry.st_gid}, which may be a notebook's: chmod g-w {path}"
            )

    def check_above(self, root: Path) -> None:
        """Raise `WritableByOthers` when the way to an environment, or what it is reached by, can be exchanged."""
        for place in {*root.absolute().parents, *root.resolve().parents}:
            self.check_entry(str(place), place.lstat(), above=True)

    def _is_trusted(self, uid: int) -> bool:
        if uid not in self._users:
            self._users[uid] = uid < FIRST or _is_known(pwd.getpwuid, uid)
        return self._users[uid]

    def _is_trusted_group(self, gid: int) -> bool:
        if gid not in self._groups:
            self._groups[gid] = gid < FIRST or _is_known(grp.getgrgid, gid)
        return self._groups[gid]


def _is_known(find: Callable[[int], object], number: int) -> bool:
    try:
        find(number)
    except KeyError:
        return False
    return True
