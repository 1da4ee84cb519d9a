"""Temporary files of launches that ended: out of sight at once, and removed in a process of its own.

There may be millions of them, and the keeper has all the other launches to look after meanwhile.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Container
from contextlib import suppress
from functools import partial

from trivium.drivers.runtimes.process.keeper.system import children
from trivium.drivers.runtimes.process.keeper.system.folders import remove_tree

GONE = ".gone-"


def sweep(temporary: str) -> None:
    """Remove what a launch had in the place of `/tmp`. Repeatable; the caller reaps a child where one is needed."""
    for place in (f"{temporary}/short", f"{temporary}/long", temporary):
        with suppress(OSError):
            os.rmdir(place)
    gone = f"{os.path.dirname(temporary)}/{GONE}{os.path.basename(temporary)}-{secrets.token_hex(4)}"
    try:
        os.rename(temporary, gone)
    except OSError:
        return  # it is gone, or cannot be moved: it is tried again when the next keeper begins
    _remove_in_child(gone)


def clear(above: str, *, kept: Container[str], begins: bool) -> None:
    """Sweep what belongs to no launch in `kept`; when a keeper begins, also what an earlier one was removing."""
    names = os.listdir(above) if os.path.isdir(above) else []
    for name in names:
        if name.startswith(GONE):
            if begins:
                _remove_in_child(f"{above}/{name}")
        elif name not in kept:
            sweep(f"{above}/{name}")


def _remove_in_child(path: str) -> None:
    with suppress(OSError):  # no process is to be had: it is tried again when the next keeper begins
        children.apart(partial(remove_tree, path))
