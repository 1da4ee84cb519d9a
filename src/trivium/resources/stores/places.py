"""Where a store is on disk, and where things in it are: by their spelling alone, nothing is looked at."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Final

from trivium.base.errors import Invalid
from trivium.base.values import Value

FILE: Final = "file://"
LONGEST: Final = 2048
_EXPORT: Final = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):(?P<path>/.*)"
)


class Spot(Value, frozen=True):
    """A directory or file on this machine, and the host that its spelling names before it."""

    host: str | None
    path: str  # absolute, without `.`, `..` and doubled slashes


def spot_of(url: str, roots: Collection[str], *, field: str = "url") -> Spot:
    """Where a store's url leads: `/directory`, `file:///directory` or `host:/directory`.

    `Invalid` for anything else, and for what lies in none of the roots, which are absolute directories.
    """
    found = spelled(url, field=field)
    if not found.path.startswith("/"):
        raise Invalid(field, "must be a directory: /directory, file:///directory or host:/directory")
    if not any(is_within(found.path, root) or found.path == root for root in roots):
        message = f"{found.path} is in none of the directories that models may be read from (models.roots)"
        raise Invalid(field, message)
    return found


def path_within(directory: str, hosts: Collection[str], given: str, *, field: str = "install_path") -> str:
    """The absolute path of what is inside a store's directory: absolute, with a host of its before it, or relative.

    `Invalid` for what is not inside, and for another host.
    """
    found = spelled(given, field=field)
    if found.host is not None and found.host not in hosts:
        message = f"is on {found.host}, and the model center is not"
        raise Invalid(field, message)
    path = found.path if found.path.startswith("/") else f"{directory.rstrip('/')}/{found.path}"
    if not is_within(path, directory):
        message = f"{path} is not inside the model center's directory {directory}"
        raise Invalid(field, message)
    return path


def is_within(path: str, directory: str) -> bool:
    """Whether a path is that of something in the directory, or deeper."""
    return path != directory and path.startswith(f"{directory.rstrip('/')}/")


def spelled(given: str, *, field: str) -> Spot:
    """Where a spelling leads, wherever that is; a relative path stays one. `Invalid` for what is no spelling."""
    if len(given) > LONGEST or not given.strip() or not given.isprintable():
        message = f"must have 1 to {LONGEST} printable characters"
        raise Invalid(field, message)
    if given.startswith(FILE):
        given = given[len(FILE) :]
        if not given.startswith("/"):
            raise Invalid(field, "a file's address is file:///path, without a host")
    elif (export := _EXPORT.fullmatch(given)) is not None:
        return Spot(host=export["host"], path=_plain(export["path"], field))
    return Spot(host=None, path=_plain(given, field))


def _plain(path: str, field: str) -> str:
    parts = PurePosixPath(path).parts  # without `.` and doubled slashes
    if ".." in parts or not parts:
        raise Invalid(field, "must be a path without ..")
    made = str(PurePosixPath(*parts))
    return made[1:] if made.startswith("//") else made
