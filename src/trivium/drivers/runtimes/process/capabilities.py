"""What this host can do for notebooks, and what to do where it falls short."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from trivium.drivers.runtimes.process.keeper import cgroups
from trivium.drivers.runtimes.process.keeper.keep import cgroup_name
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.notebooks.ports import Capabilities, Enforcement

NAMESPACE = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x00020000) != 0)"  # CLONE_NEWNS
WITHIN = 10.0  # seconds


def find_capabilities(settings: ProcessSettings) -> Capabilities:
    """What this host can do. Leaves nothing behind."""
    is_root = os.geteuid() == 0
    held = _held(settings)
    has_namespaces = is_root and _can_unshare()

    def limit(controller: str) -> Enforcement:
        return Enforcement.ENFORCED if controller in held else Enforcement.WATCHED

    return Capabilities(
        runtime="process",
        uid_per_user=is_root,
        mount_namespace=has_namespaces,
        cpu=limit("cpu"),
        memory=limit("memory"),
        processes=limit("pids"),
        disk=Enforcement.DECLARED,
        shared_uid=settings.shared_uid,
        remedies=tuple(_remedies(settings, held, is_root=is_root, has_namespaces=has_namespaces)),
    )


def _held(settings: ProcessSettings) -> frozenset[str]:
    if not settings.cgroups:
        return frozenset()
    return cgroups.offered(cgroup_name(str(settings.data)))


def _can_unshare() -> bool:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", NAMESPACE], check=False, timeout=WITHIN, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _remedies(settings: ProcessSettings, held: frozenset[str], *, is_root: bool, has_namespaces: bool) -> Sequence[str]:
    said: list[str] = []
    if not is_root:
        said.append(
            "All notebooks run under the server's own uid, so only one user may have notebooks: run the server as "
            "root, or set TRIVIUM_RUNTIME__SHARED_UID=true where the users trust each other."
        )
    elif not has_namespaces:
        said.append(
            "Mount namespaces cannot be made (CAP_SYS_ADMIN is missing): read-only mounts are refused, and "
            "environments must be reachable for every user of this machine."
        )
    missing = [word for word, name in (("CPU", "cpu"), ("memory", "memory"), ("process", "pids")) if name not in held]
    if missing and not settings.cgroups:
        said.append("Limits are watched and not enforced, because the configuration says not to use cgroups.")
    elif missing:
        said.append(
            f"{' and '.join(missing)} limits are watched and not enforced: make a cgroup hierarchy writable for the "
            "server (root, or a systemd service with Delegate=yes)."
        )
    said.append("Disk use is declared and not enforced: use a file system with project quotas where that matters.")
    return said
