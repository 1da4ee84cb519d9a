"""Which store has what is at a place."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, exists, select

from trivium.base.caller import Caller
from trivium.base.text import readable
from trivium.resources import owning
from trivium.resources.stores.errors import NotInStores
from trivium.resources.stores.places import spelled
from trivium.resources.stores.table import store_of, stores
from trivium.resources.stores.types import Hold, ModelStore, Sight
from trivium.store import Read

AT_ONCE: Final = 1000
"""Directories that one statement looks for stores of."""

_AFTER_SLASH: Final = "0"
"""The character that comes next, so that a range ends with all that a directory has inside."""


def directory_of(tx: Read, caller: Caller, path: str, *, own: UUID) -> str | None:
    """The directory of the innermost store that has a path inside; None where none has it, or the caller may not read.

    They may where they see that store, or one with the same directory, or it is the `own` one.
    """
    nearest = _nearest(tx, _parents(path))
    return nearest[0].path if any(row.uuid == own or owning.sees(caller, row) for row in nearest) else None


def sight_of(tx: Read, project: int, *, own: UUID, of: Collection[bytes] | None = None) -> Sight:
    """What the files of a project's things may be read of: of the stores that it sees, and of the `own` one.

    With `of` it says that of these directories alone.
    """
    found: dict[bytes, bool] = {}
    for row in _around(tx, of):
        directory = os.fsencode(row.path)
        is_seen = row.uuid == own or row.audience in (owning.EVERYBODY, project)
        found[directory] = is_seen or found.get(directory, False)
    return Sight(stores=found)


def hold_of(tx: Read, project: int, *, of: Collection[bytes]) -> Hold:
    """In which of these directories a project may delete files: where its own stores have them, and no other's."""
    found: dict[bytes, bool] = {}
    for row in _around(tx, of):
        directory = os.fsencode(row.path)
        found[directory] = row.project_id == project and found.get(directory, True)
    return Hold(stores=found)


def path_of(tx: Read, uuid: UUID) -> str | None:
    """The directory of a store; None where it is gone."""
    return tx.value(select(stores.c.path).where(stores.c.uuid == uuid))


def containing(
    tx: Read, caller: Caller, place: str, *, field: str = "install_path", called: str | None = None
) -> ModelStore:
    """The innermost store that has an absolute place inside, which the caller must see; of several, the oldest.

    `called` is what the caller called the place, and is told in its stead.

    Raises `Invalid` for what is no place, and `NotInStores`, also where the place names another host than the store.
    """
    spot = spelled(place, field=field)
    check_seen(tx, caller, spot.path, field=field, called=called)
    rows = tx.all(select(stores).where(stores.c.path.in_(_parents(spot.path))).order_by(stores.c.id))
    seen = [store_of(row) for row in rows if owning.sees(caller, row)]
    seen = [store for store in seen if spot.host is None or spot.host in store.hosts]
    if not spot.path.startswith("/") or not seen:
        told = called or spot.path
        message = f"{told} is in no store of models that you may see"
        raise NotInStores(field, message, path=told)
    return max(seen, key=lambda store: len(store.path))


def check_seen(tx: Read, caller: Caller, path: str, *, field: str, called: str | None = None) -> None:
    """Refuse to read what is in others' stores: the path lies in one, is one, or has one inside. `NotInStores`."""
    check_open(tx, caller, path, field=field, called=called)
    if caller.is_admin:
        return
    below = f"{path.rstrip('/')}/"
    also = stores.alias()
    shown = exists().where(also.c.path == stores.c.path, *owning.seen_by(caller, also))
    within = (stores.c.path > below, stores.c.path < below[:-1] + _AFTER_SLASH)
    if tx.first(select(stores.c.id).where(*within, ~shown).limit(1)) is not None:
        raise _refused(called or path, field)


def check_open(tx: Read, caller: Caller, path: str, *, field: str, called: str | None = None) -> None:
    """Refuse a path of which the innermost store is one that the caller does not see. `NotInStores`.

    That is the store whose directory has it inside, or is it. Of several with one directory it is enough to see one.
    """
    if caller.is_admin:
        return
    nearest = _nearest(tx, [path, *_parents(path)])
    if nearest and not any(owning.sees(caller, row) for row in nearest):
        raise _refused(called or path, field)


def _nearest(tx: Read, around: Sequence[str]) -> Sequence[Row[Any]]:
    """The stores at the innermost of these directories, each of which has the one before it inside."""
    rows = tx.all(select(stores.c.path, stores.c.uuid, stores.c.audience).where(stores.c.path.in_(around)))
    longest = max((len(row.path) for row in rows), default=0)
    return [row for row in rows if len(row.path) == longest]


def _parents(path: str) -> list[str]:
    return [str(directory) for directory in PurePosixPath(path).parents]


def _around(tx: Read, directories: Collection[bytes] | None) -> Iterator[Row[Any]]:
    """The stores that have directories inside, or are one; all where none are told."""
    wanted = select(stores.c.path, stores.c.uuid, stores.c.audience, stores.c.project_id)
    if directories is None:
        yield from tx.all(wanted)
        return
    around = {readable(one) for each in directories for one in _above(each)}
    every = sorted(around)
    for start in range(0, len(every), AT_ONCE):
        yield from tx.all(wanted.where(stores.c.path.in_(every[start : start + AT_ONCE])))


def _above(directory: bytes) -> Iterator[bytes]:
    """A directory, and those above it."""
    yield b"/"
    while directory:
        yield directory
        directory = directory.rpartition(b"/")[0]


def _refused(path: str, field: str) -> NotInStores:
    message = f"{path} is in a store of models that you may not see, or has one inside"
    return NotInStores(field, message, path=path)
