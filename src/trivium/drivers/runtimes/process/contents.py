"""The canonical listing of a directory: what a digest, a fingerprint and a size are made of. Bytecode is left out."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from trivium.base.values import Value
from trivium.drivers.runtimes.process.ownership import OwnershipCheck

BLOCK = 1 << 20
LOCK = ".lock"  # uv lets everybody write to it, and nobody reads it


class Entry(Value, frozen=True):
    """One file or link of a directory."""

    path: str  # relative
    full: str
    mode: int
    size: int
    modified: int  # nanoseconds since 1970

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)


def entries(root: Path) -> Iterator[Entry]:
    """The files and links below a directory, in the order of their paths' bytes; links are not followed."""
    yield from _below(os.fspath(root), "", None)


def digest(root: Path, *, but: str = "") -> str:
    """sha256:<64 hex> over relative path, mode bits and content of everything but one path. OSError if unreadable."""
    whole = hashlib.sha256()
    for entry in entries(root):
        if entry.path == but:
            continue
        content = _link_digest(entry) if entry.is_link else _file_digest(entry.full)
        kind = "link" if entry.is_link else f"{stat.S_IMODE(entry.mode):o}"
        whole.update(f"{entry.path}\0{kind}\0{content}\n".encode(errors="surrogateescape"))
    return f"sha256:{whole.hexdigest()}"


def fingerprint(root: Path) -> str:
    """64 hex over relative path, size and modification time of everything; nothing is opened.

    Raises `WritableByOthers` where a notebook's user may write to any of it, bytecode included.
    """
    ownership = OwnershipCheck()
    ownership.check_above(root)
    ownership.check_entry(str(root), root.stat())
    whole = hashlib.sha256()
    for entry in _below(os.fspath(root), "", ownership):
        whole.update(f"{entry.path}\0{entry.size}\0{entry.modified}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()


def size(root: Path) -> int:
    """Bytes of all files."""
    return sum(entry.size for entry in entries(root) if not entry.is_link)


def _below(root: str, prefix: str, ownership: OwnershipCheck | None) -> Iterator[Entry]:
    with os.scandir(f"{root}/{prefix}" if prefix else root) as found:
        here = sorted(found, key=lambda one: os.fsencode(one.name))
    for one in here:
        path = f"{prefix}/{one.name}" if prefix else one.name
        is_directory = one.is_dir(follow_symlinks=False)
        if ownership is not None and one.name != LOCK:
            ownership.check_entry(one.path, one.stat(follow_symlinks=False))
        if is_directory:
            if one.name != "__pycache__":
                yield from _below(root, path, ownership)
            elif ownership is not None:
                _check_bytecode(one.path, ownership)
            continue
        entry = one.stat(follow_symlinks=False)
        if one.name.endswith(".pyc") or not (stat.S_ISREG(entry.st_mode) or stat.S_ISLNK(entry.st_mode)):
            continue
        yield Entry(path=path, full=one.path, mode=entry.st_mode, size=entry.st_size, modified=entry.st_mtime_ns)


def _check_bytecode(place: str, ownership: OwnershipCheck) -> None:
    with os.scandir(place) as found:
        for one in found:
            ownership.check_entry(one.path, one.stat(follow_symlinks=False))


def _file_digest(path: str) -> str:
    whole = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while block := os.read(descriptor, BLOCK):
            whole.update(block)
    finally:
        os.close(descriptor)
    return whole.hexdigest()


def _link_digest(entry: Entry) -> str:
    return hashlib.sha256(os.fsencode(Path(entry.full).readlink())).hexdigest()
