"""What the process runtime is told: where its things lie, and what of the machine it may give away."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import timedelta
from pathlib import Path

from trivium.base.values import Value


class ProcessSettings(Value, frozen=True):
    """The settings of the process runtime."""

    data: Path  # homes, layers, saved layers, logs and the keeper's notes
    run: Path  # sockets; short, because the name of a socket has at most 107 bytes
    shared_uid: bool = False  # notebooks of several users may share one uid where the server is not root
    accelerators: str = ""  # what to offer, such as `dcu:8` or `dcu:8,gpu:2`; empty: what is found
    cores: float | None = None  # instead of what is found
    memory: int | None = None  # bytes, instead of what is found
    ready_within: timedelta = timedelta(seconds=120)
    processes: int = 4096  # processes and threads that a notebook may have, where nothing else is said
    cgroups: bool = True  # false: limits are watched even where the kernel could hold them
    answer_within: timedelta = timedelta(seconds=10)  # after which a keeper that is silent counts as unreachable
    warm: timedelta = timedelta(minutes=30)  # for how long an image's warm parent waits to be used; 0: none is kept
    disk_reserve: int = 0  # bytes; with less than that free, nothing is started or saved
    environment: tuple[tuple[str, str], ...] = ()  # added to every notebook's environment


def run_directory(data: Path) -> Path:
    """The directory for the sockets of a data directory: short, and nobody else's."""
    mark = hashlib.sha256(os.path.realpath(data).encode()).hexdigest()[:8]
    if os.geteuid() == 0:
        return Path("/run") / f"trivium-{mark}"
    own = os.environ.get("XDG_RUNTIME_DIR")
    if own and Path(own).is_dir():
        return Path(own) / f"trivium-{mark}"
    return Path("/tmp") / f"trivium-{os.geteuid()}-{mark}"  # noqa: S108 - `claim` refuses one that another user made


def claim(directory: Path) -> None:
    """Make a directory of our own, which others may cross; PermissionError when it is somebody else's."""
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    entry = directory.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid():
        raise PermissionError(f"{directory} is not ours; remove it, or choose another directory")
    if stat.S_IMODE(entry.st_mode) != 0o711:  # noqa: PLR2004 - a mode
        directory.chmod(0o711)
