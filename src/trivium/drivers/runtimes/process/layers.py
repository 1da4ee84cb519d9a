"""Notebooks' own packages on disk: kept as layers of images, and removed.

A layer belongs to its notebook's user, who may have put anything in it: no link is followed, nothing in it is run, and
what is kept is owned by the server and readable for all.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

from trivium.drivers.runtimes.process import contents, copying
from trivium.drivers.runtimes.process.copying import Moved
from trivium.drivers.runtimes.process.keeper.system.folders import remove_tree
from trivium.drivers.runtimes.process.keeper.system.linux import sync_file_system
from trivium.resources.notebooks.ports import SavedLayer

ABOUT = "trivium-layer.json"
NAME = re.compile(r"[0-9a-f]{32}")
TEMPORARY = ".making-"


def save(data: Path, launch: int, name: str, *, reserve: int = 0) -> SavedLayer:
    """Keep a notebook's packages as layer `name`; the same name gives the same layer.

    OSError when there is nothing to keep, no space, or no end of directories in directories; then nothing is left.
    """
    place = _saved(data, name)
    if (known := _about(place)) is not None:
        return known
    source = data / "layers" / str(launch) / "venv"
    beside = place.parent / f"{TEMPORARY}{name}-{secrets.token_hex(4)}"
    place.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    try:
        _copy(source, beside, Moved(str(source), str(place)), reserve=reserve)
        about = SavedLayer(path=place, size=contents.size(beside), digest=contents.digest(beside))
        (beside / ABOUT).write_bytes(msgspec.json.encode(about, enc_hook=str))
        _sync(beside)
        _put(beside, place)
    finally:
        with suppress(OSError):
            remove_tree(str(beside))
    return about


def whole_size(place: Path) -> int | None:
    """The bytes of a saved layer, read anew; None when it is not there, or not what was saved."""
    about = _about(place)
    if about is None:
        return None
    try:
        return about.size if contents.digest(place, but=ABOUT) == about.digest else None
    except OSError:
        return None


def names(data: Path) -> list[str]:
    """The saved layers that are there, whole."""
    with suppress(FileNotFoundError):
        return sorted(entry.name for entry in os.scandir(data / "saved") if NAME.fullmatch(entry.name))
    return []


def drop(data: Path, name: str) -> None:
    """Remove a saved layer. Repeatable."""
    _remove(_saved(data, name))


def discard(data: Path, launch: int) -> None:
    """Remove a notebook's layer and logs. Repeatable."""
    _remove(data / "layers" / str(launch))
    _remove(data / "logs" / str(launch))


def clear(data: Path) -> None:
    """Remove what a server that died left half made or half removed: before this one makes or removes anything."""
    for above in ("saved", "layers", "logs"):
        with suppress(FileNotFoundError):
            for entry in os.scandir(data / above):
                if entry.name.startswith((TEMPORARY, ".gone-")):
                    with suppress(OSError):
                        remove_tree(entry.path)


def _saved(data: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise ValueError(f"a saved layer is named by 32 hexadecimal digits, not {name!r}")
    return data / "saved" / name


def _about(place: Path) -> SavedLayer | None:
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode((place / ABOUT).read_bytes(), type=SavedLayer, dec_hook=_to_path)
    return None


def _to_path(kind: type, text: str) -> Path:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(text)


def _remove(place: Path) -> None:
    """Move it out of sight at once, then remove it; symbolic links in it are not followed."""
    gone = place.parent / f".gone-{place.name}-{secrets.token_hex(4)}"
    with suppress(FileNotFoundError):
        place.rename(gone)
        remove_tree(str(gone))


def _put(beside: Path, place: Path) -> None:
    try:
        beside.rename(place)
    except OSError:
        if _about(place) is None:  # not another save of the same name that was faster
            raise
    _sync(place.parent)


def _copy(source: Path, target: Path, moved: Moved, *, reserve: int) -> None:
    top = copying.open_top(source)
    try:
        copying.copy(top, target, moved, reserve=reserve)
    finally:
        os.close(top)


def _sync(place: Path) -> None:
    """Make what was written below a directory durable."""
    descriptor = os.open(place, copying.WALK)
    try:
        sync_file_system(descriptor)
    finally:
        os.close(descriptor)
