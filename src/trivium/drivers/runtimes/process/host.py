"""This machine as a node: what it has in cores, memory, disk and accelerators."""

from __future__ import annotations

import os
import shutil
import socket

import psutil

from trivium.drivers.runtimes.process import accelerators
from trivium.drivers.runtimes.process.keeper.system.processes import read
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.nodes.ports import NodeFound

UNLIMITED = 1 << 60  # bytes; cgroup v1 writes a number near 2^63 for no limit


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
        address=_address(),
        ready=not reason,
        reason=reason,
        cores=settings.cores or _cores(),
        memory=settings.memory or _memory(),
        disk=shutil.disk_usage(place).total,
        accelerators=found,
    )


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
    total = int(psutil.virtual_memory().total)
    for directory in _own_cgroups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(f"{directory}/{name}")
            if 0 < limit < UNLIMITED:
                total = min(total, limit)
    return total


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


def _address() -> str:
    """An address of this machine: its first one that is not loopback's, else loopback's."""
    interfaces = psutil.net_if_addrs()
    found = [one.address for name in sorted(interfaces) for one in interfaces[name] if one.family == socket.AF_INET]
    return next((address for address in found if not address.startswith("127.")), "127.0.0.1")
