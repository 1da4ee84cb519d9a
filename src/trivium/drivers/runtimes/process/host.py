"""This machine as a node: what it has in cores, memory, disk and accelerators."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import socket
import struct
from contextlib import suppress
from typing import Final

from trivium.base.units import KIB
from trivium.drivers.runtimes.process import accelerators
from trivium.drivers.runtimes.process.keeper.system.processes import read
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.nodes.ports import NodeFound

UNLIMITED: Final = 1 << 60  # bytes; cgroup v1 writes a number near 2^63 for no limit
SIOCGIFADDR: Final = 0x8915  # netdevice(7): the IPv4 address of an interface


def find_node(settings: ProcessSettings) -> NodeFound:
    """This machine as it is now."""
    try:
        found = accelerators.find(settings.accelerators)
        reason = ""
    except ValueError as error:
        found, reason = (), str(error)
    place = settings.data
    while not place.exists():
        place = place.parent
    return NodeFound(
        name=socket.gethostname(),
        address=address(),
        ready=not reason,
        reason=reason,
        cores=settings.cores or _cores(),
        memory=settings.memory or _memory(),
        disk=shutil.disk_usage(place).total,
        accelerators=found,
        architecture=platform.machine().lower(),
    )


def address() -> str:
    """An address of this machine: its first one that is not loopback's, else loopback's."""
    found = map(_address_of, sorted(name for _, name in socket.if_nameindex()))
    return next((one for one in found if one is not None and not one.startswith("127.")), "127.0.0.1")


def _cores() -> float:
    """Processors that this process may use, as its affinity and its own cgroup say."""
    count = float(len(os.sched_getaffinity(0)))
    for directory in _own_cgroups("cpu"):
        words = read(f"{directory}/cpu.max").split()
        if len(words) == 2 and words[0].isdigit():  # noqa: PLR2004 - quota and period
            count = min(count, int(words[0]) / int(words[1]))
        quota, period = _number(f"{directory}/cpu.cfs_quota_us"), _number(f"{directory}/cpu.cfs_period_us")
        if quota > 0 and period > 0:
            count = min(count, quota / period)
    return count


def _memory() -> int:
    """Memory of the machine, or of our own cgroup where that is less."""
    total = _total_memory()
    for directory in _own_cgroups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(f"{directory}/{name}")
            if 0 < limit < UNLIMITED:
                total = min(total, limit)
    return total


def _total_memory() -> int:
    """Memory of the machine; in a container with lxcfs, of the container."""
    for line in read("/proc/meminfo").splitlines():
        name, _, rest = line.partition(b":")
        if name == b"MemTotal":
            return int(rest.split()[0]) * KIB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _own_cgroups(controller: str) -> list[str]:
    """Where our own limits may stand: our cgroup in each version, and the top of what is mounted."""
    found = ["/sys/fs/cgroup", f"/sys/fs/cgroup/{controller}"]
    for line in read("/proc/self/cgroup").decode(errors="replace").splitlines():
        _, names, path = line.split(":", 2)
        if not names:
            found.append(f"/sys/fs/cgroup{path}")
        elif controller in names.split(","):
            found.append(f"/sys/fs/cgroup/{controller}{path}")
    return found


def _number(path: str) -> int:
    text = read(path).strip()
    return int(text) if text.lstrip(b"-").isdigit() else 0


def _address_of(interface: str) -> str | None:
    """The IPv4 address of a network interface; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket, suppress(OSError):
        answer = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", os.fsencode(interface)))
        return socket.inet_ntoa(answer[20:24])  # after the name and the head of a sockaddr_in
    return None
