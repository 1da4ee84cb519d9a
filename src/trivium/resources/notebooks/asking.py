"""What may be asked of a new notebook, and what it will need."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.site import Site
from trivium.resources.nodes import Need
from trivium.resources.notebooks.errors import BadMount, BadName, IdleUnknown, MountRefused, UserNotSeparable
from trivium.resources.notebooks.ports import Capabilities, Mount
from trivium.resources.notebooks.table import THERE, notebooks
from trivium.resources.notebooks.types import LeaseAsked, LeaseKind, Volume
from trivium.resources.pools import Flavor
from trivium.store import Read, Write

LONGEST_NAME: Final = 128
MOST_UNITS: Final = 1024
MOST_MOUNTS: Final = 16
LONGEST_PATH: Final = 1024  # characters, of which each may be four of the kernel's 4096 bytes
LONGEST_COMMAND: Final = 8192
LONGEST_DESCRIPTION: Final = 1024
LONGEST_LEASE: Final = timedelta(days=36_525)
MOST_CAPACITY: Final = 1 << 60
LONGEST_ENTRY: Final = 255  # bytes of one name in a directory
UNREADABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # categories of control characters, half ones, ends of lines
ROOT: Final = PurePosixPath("/")
ETC: Final = PurePosixPath("/etc")
SHARED: Final = tuple(PurePosixPath(f"/{name}") for name in ("home", "root", "tmp", "var", "opt"))
"""Where things of the machine or of others lie, which a directory of one's own would hide."""

SYSTEM: Final = tuple(
    PurePosixPath(f"/{name}")
    for name in ("bin", "boot", "dev", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "usr")
)


def checked_name(name: str) -> str:
    """The name without outer spaces. `BadName` when it is empty, too long, or holds control characters."""
    name = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(name) <= LONGEST_NAME or any(unicodedata.category(letter).startswith("C") for letter in name):
        message = f"a notebook's name has 1 to {LONGEST_NAME} characters and no control characters"
        raise BadName("name", message)
    return name


def checked_command(command: str | None, field: str) -> str | None:
    """The command without outer spaces, None when there is none. `Invalid` for one that no shell could be given."""
    command = (command or "").strip()
    if len(command) > LONGEST_COMMAND or "\0" in command:
        message = f"a command has at most {LONGEST_COMMAND} characters"
        raise Invalid(field, message)
    return command or None


def checked_description(text: str) -> str:
    """The description without outer spaces. `Invalid` when it is too long."""
    text = text.strip()
    if len(text) > LONGEST_DESCRIPTION or "\0" in text:
        message = f"a description has at most {LONGEST_DESCRIPTION} characters"
        raise Invalid("description", message)
    return text


def checked_lease(asked: LeaseAsked) -> LeaseAsked:
    """The lease. `Invalid` for a senseless duration, `IdleUnknown` for one that ends when nobody uses the notebook."""
    if asked.duration is not None and not timedelta(0) < asked.duration <= LONGEST_LEASE:
        message = f"a lease lasts longer than nothing, and at most {LONGEST_LEASE.days} days"
        raise Invalid("duration", message)
    if asked.kind is LeaseKind.IDLE:
        raise IdleUnknown
    return asked


def checked_volume(volume: Volume) -> Volume:
    """The volume. `Invalid` for a senseless capacity."""
    if not 0 < volume.capacity <= MOST_CAPACITY:
        message = "a volume's capacity is a positive number of bytes"
        raise Invalid("capacity", message)
    return volume


def default_name(tx: Write, site: Site) -> str:
    """SCNet's way to name what has no name: yyMMddHHmmss in local time, and four digits."""
    return f"{tx.now + site.utc_offset:%y%m%d%H%M%S}{tx.ids.next() // 4096 % 10_000:04d}"


def checked_mounts(mounts: Sequence[Mount], capabilities: Capabilities, *, home: Path) -> tuple[Mount, ...]:
    """The mounts with clean paths. `BadMount` for a path that leaves the home, `MountRefused` for what cannot hold.

    Without private mounts there are only links: they hold nobody back from writing, and stand in the home alone.
    """
    if len(mounts) > MOST_MOUNTS:
        message = f"a notebook has at most {MOST_MOUNTS} mounts"
        raise BadMount("mounts", message)
    clean = tuple(
        Mount(source=_inside(mount.source), target=_absolute(mount.target), writable=mount.writable) for mount in mounts
    )
    if len({mount.target for mount in clean}) != len(clean):
        message = "two mounts have the same target"
        raise BadMount("targetPath", message)
    if not capabilities.mount_namespace:
        for mount in clean:
            if not mount.writable or not PurePosixPath(mount.target).is_relative_to(home):
                raise MountRefused(target=mount.target, home=str(home))
    return clean


def checked_area(area: str | None) -> str | None:
    """Where directories are to be shown later. `BadMount` unless it is a directory right below the root."""
    if area is None:
        return None
    place = PurePosixPath(_absolute(area))
    if place.parent != ROOT or place in SHARED:
        message = f"directories can be shown in a new directory right below / alone: {area[:LONGEST_PATH]!r}"
        raise BadMount("attachAt", message)
    return str(place)


def checked_attachment(mount: Mount, *, area: str) -> Mount:
    """The mount with clean paths. `BadMount` for a source outside of the home, or a target not right in the area."""
    clean = Mount(source=_inside(mount.source), target=_absolute(mount.target), writable=mount.writable)
    place = PurePosixPath(clean.target)
    if str(place.parent) != area or len(place.name.encode()) > LONGEST_ENTRY:
        message = f"the target must lie right in {area}: {mount.target[:LONGEST_PATH]!r}"
        raise BadMount("targetPath", message)
    return clean


def separable(tx: Read, caller: Caller, capabilities: Capabilities, *, host: str) -> None:
    """Raise `UserNotSeparable` when all notebooks of the host share one uid and another user has some there."""
    if capabilities.uid_per_user or capabilities.shared_uid:
        return
    others = (notebooks.c.owner_id != caller.user, THERE, notebooks.c.host == host)
    if tx.first(select(notebooks.c.id).where(*others).limit(1)) is not None:
        raise UserNotSeparable


def need_of(flavor: Flavor, count: int) -> Need:
    """What so many units of a flavor come to. `Invalid` for a senseless count."""
    if not 0 < count <= MOST_UNITS:
        message = f"there must be between 1 and {MOST_UNITS} accelerators"
        raise Invalid("count", message)
    return Need(kind=flavor.kind, count=count, millicores=flavor.millicores * count, memory=flavor.memory * count)


def _inside(source: str) -> str:
    """A path under the user's home, without `..` and links to anywhere: the runtime follows none."""
    path = PurePosixPath(source.strip("/"))
    if not path.parts or ".." in path.parts or not _is_path(source):
        message = f"a mount's source must lie under the home directory: {source[:LONGEST_PATH]!r}"
        raise BadMount("sourcePath", message)
    return str(path)


def _absolute(target: str) -> str:
    """An absolute path other than the root, without `..`."""
    path = PurePosixPath(target)
    is_plain = path.is_absolute() and path != ROOT and ".." not in path.parts and not target.startswith("//")
    if path == ETC or any(path.is_relative_to(place) for place in SYSTEM):
        message = f"a mount cannot take the place of the system's own directories: {target[:LONGEST_PATH]!r}"
        raise BadMount("targetPath", message)
    if not is_plain or not _is_path(target):
        message = f"a mount's target must be an absolute path other than /: {target[:LONGEST_PATH]!r}"
        raise BadMount("targetPath", message)
    return str(path)


def _is_path(text: str) -> bool:
    """Whether the kernel could take it for a path, and a person read it in a line."""
    return len(text) <= LONGEST_PATH and UNREADABLE.isdisjoint(map(unicodedata.category, text))
