"""What launches leave behind that ended: out of sight at once, and removed in a process of its own.

There may be millions of them, and the keeper has all the other launches to look after meanwhile.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Container
from contextlib import suppress
from functools import partial

from trivium.drivers.runtimes.process.keeper.system import beside, children
from trivium.drivers.runtimes.process.keeper.system.folders import WALK, remove_tree

GONE = ".gone-"


def sweep(temporary: str) -> None:
    """Remove what a launch had in the place of `/tmp`. Repeatable; the caller reaps a child where one is needed."""
    for place in (f"{temporary}/short", f"{temporary}/long", temporary):
        with suppress(OSError):
            os.rmdir(place)
    _move_away(temporary)


def sweep_sockets(run: str) -> None:
    """Remove the directory of a launch's sockets: at once, if there is as little in it as should be. Repeatable."""
    with suppress(OSError):
        if _has_little(f"{run}/own"):
            remove_tree(run)
            return
    _move_away(run)


def clear(above: str, *, kept: Container[str], begins: bool) -> None:
    """Sweep what belongs to no launch in `kept`; when a keeper begins, also what an earlier one was removing."""
    if begins:
        resume(above)
    names = os.listdir(above) if os.path.isdir(above) else []
    for name in names:
        if not name.startswith(GONE) and name not in kept:
            sweep(f"{above}/{name}")


def resume(above: str) -> None:
    """Go on with what an earlier keeper was removing."""
    names = os.listdir(above) if os.path.isdir(above) else []
    for name in names:
        if name.startswith(GONE):
            _remove_in_child(f"{above}/{name}")


def _has_little(own: str) -> bool:
    try:
        place = os.open(own, WALK)
    except OSError:
        return True
    try:
        return not beside.named(place).is_too_much
    except beside.Hidden:
        return False
    finally:
        os.close(place)


def _move_away(path: str) -> None:
    gone = f"{os.path.dirname(path)}/{GONE}{os.path.basename(path)}-{secrets.token_hex(4)}"
    try:
        os.rename(path, gone)
    except OSError:
        return  # it is gone, or cannot be moved: it is tried again when the next keeper begins
    _remove_in_child(gone)


def _remove_in_child(path: str) -> None:
    with suppress(OSError):  # no process is to be had: it is tried again when the next keeper begins
        children.apart(partial(remove_tree, path))
