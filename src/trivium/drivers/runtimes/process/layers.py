"""Notebooks' own packages on disk: kept as layers of images, and removed.

A layer belongs to its notebook's user, who may have put anything in it: no link is followed, nothing in it is run, and
what is kept is owned by the server and readable for all.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from trivium.drivers.runtimes.process import contents
from trivium.drivers.runtimes.process.keeper.startup.layer import CHAIN
from trivium.drivers.runtimes.process.keeper.system.folders import remove_tree
from trivium.drivers.runtimes.process.keeper.system.linux import sync_file_system
from trivium.resources.notebooks.ports import SavedLayer

ABOUT = "trivium-layer.json"
NAME = re.compile(r"[0-9a-f]{32}")
WALK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
INTERPRETER = re.compile(r"(python|pip)[0-9.]*")
TEXT = 1 << 20  # bytes past which a file is not looked through for paths
PREAMBLE = """#!/bin/sh
'''exec' "${TRIVIUM_PYTHON:-python3}" "$0" "$@"
' '''
"""
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
        _must_fit(source, place.parent, reserve)
        _copy_layer(source, beside, place)
        about = SavedLayer(path=place, size=contents.size(beside), digest=contents.digest(beside))
        (beside / ABOUT).write_bytes(msgspec.json.encode(about, enc_hook=str))
        _sync(beside)
        _put(beside, place)
    except RecursionError as error:
        raise OSError(errno.ELOOP, "too many directories lie within each other") from error
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


def _must_fit(source: Path, above: Path, reserve: int) -> None:
    """Raise OSError when the layer, its holes filled, is more than there is room for beside the reserve.

    A file of holes takes no space of its user's and all of ours, and days to be read.
    """
    size = 0
    for folder, _, names in os.walk(source):
        for name in names:
            with suppress(FileNotFoundError):
                size += os.lstat(f"{folder}/{name}").st_size
    if size + reserve > shutil.disk_usage(above).free:
        raise OSError(errno.ENOSPC, "No space left for a layer of this size")


def _copy_layer(source: Path, target: Path, final: Path) -> None:
    above = os.open(source.parent, WALK)
    try:
        root = os.open(source.name, WALK, dir_fd=above)
    finally:
        os.close(above)
    try:
        target.mkdir(mode=0o755)
        target.chmod(0o755)
        for name in ("bin", "lib", "lib64", "share", "etc", "include"):
            with suppress(FileNotFoundError):
                _copy(root, name, target / name, paths=(str(source), str(final)))
    finally:
        os.close(root)


def _copy(parent: int, name: str, target: Path, *, paths: tuple[str, str]) -> None:
    """Copy one entry of an open directory. What vanishes meanwhile is left out, and so are pipes and the like."""
    entry = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISLNK(entry.st_mode):
        with suppress(FileNotFoundError):
            if not (target.parent.name == "bin" and INTERPRETER.fullmatch(name)):
                target.symlink_to(os.readlink(name, dir_fd=parent).replace(*paths))
    elif stat.S_ISDIR(entry.st_mode):
        here = os.open(name, WALK, dir_fd=parent)
        try:
            target.mkdir(mode=0o755)
            target.chmod(0o755)
            for below in os.listdir(here):  # noqa: PTH208 - an open directory has no path
                with suppress(FileNotFoundError):
                    _copy(here, below, target / below, paths=paths)
        finally:
            os.close(here)
    elif stat.S_ISREG(entry.st_mode) and name != CHAIN:
        _copy_file(parent, name, target, paths=paths)


def _copy_file(parent: int, name: str, target: Path, *, paths: tuple[str, str]) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    with os.fdopen(source, "rb") as reading:
        entry = os.fstat(source)
        if not stat.S_ISREG(entry.st_mode):
            return
        is_script = target.parent.name == "bin"
        head = reading.read(TEXT) if is_script or name.endswith((".pth", "kernel.json")) else b""
        if is_script and _is_ours(name, head):
            return
        with target.open("xb") as writing:
            writing.write(_moved(head, paths, is_script=is_script))
            shutil.copyfileobj(reading, writing, TEXT)
            writing.flush()
            os.fchmod(writing.fileno(), 0o755 if entry.st_mode & 0o111 else 0o644)
    os.utime(target, ns=(entry.st_atime_ns, entry.st_mtime_ns))  # bytecode is good for this very time


def _is_ours(name: str, head: bytes) -> bool:
    """Whether it is the `pip` that every layer is given when it is made."""
    return INTERPRETER.fullmatch(name) is not None and b"from pip._internal.cli.main import main; sys.exit" in head


def _moved(head: bytes, paths: tuple[str, str], *, is_script: bool) -> bytes:
    """The beginning of a file with its old place replaced by the new; scripts run on the layer that is on top."""
    old, new = (path.encode() for path in paths)
    if is_script and head.startswith(b"#!"):
        first, _, rest = head.partition(b"\n")
        if old + b"/bin/python" in first:
            head = PREAMBLE.encode() + rest
        elif rest.startswith(b"'''exec' ") and old + b"/bin/python" in rest.partition(b"\n")[0]:
            head = PREAMBLE.encode() + rest.split(b"\n", 2)[2]
    return head.replace(old, new)


def _sync(place: Path) -> None:
    """Make what was written below a directory durable."""
    descriptor = os.open(place, WALK)
    try:
        sync_file_system(descriptor)
    finally:
        os.close(descriptor)
