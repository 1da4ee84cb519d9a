"""What this host can do for notebooks, and what to do where it falls short."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache
from threading import Thread

from trivium.drivers.runtimes.process.keeper.system import cgroups
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources.notebooks.ports import Capabilities, Enforcement

# CLONE_NEWNS; MS_REC | MS_PRIVATE; MS_NOSUID | MS_NODEV | MS_NOEXEC, as `kernel.mount_proc` does it
TRIAL = """
import ctypes
libc, none = ctypes.CDLL(None), None
if libc.unshare(0x00020000) == 0 and libc.mount(none, b"/", none, ctypes.c_ulong(0x44000), none) == 0:
    print("mounts")
    if libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(14), b"hidepid=invisible") == 0:
        print("proc")
"""
WITHIN = 10.0  # seconds


def find_capabilities(settings: ProcessSettings) -> Capabilities:
    """What this host can do. Leaves nothing behind."""
    is_root = os.geteuid() == 0
    held = _held(settings)
    tried = trial().result() if is_root else frozenset[str]()
    has_namespaces = "mounts" in tried

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
        hidden_processes="proc" in tried,
        remedies=tuple(_remedies(settings, held, is_root=is_root, tried=tried)),
    )


@cache
def trial() -> Future[frozenset[str]]:
    """What a process of ours that tries to make a room can do, found out once: have `mounts` and a `proc` of its own.

    It is a process that takes a moment. Who will want to know may ask early, and go on meanwhile.
    """
    found = Future[frozenset[str]]()
    Thread(target=lambda: found.set_result(_tried()), name="trial", daemon=True).start()
    return found


def _held(settings: ProcessSettings) -> frozenset[str]:
    if not settings.cgroups:
        return frozenset()
    return cgroups.offered(cgroups.directory_of(str(settings.data)))


def _tried() -> frozenset[str]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", TRIAL], check=False, timeout=WITHIN, capture_output=True, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(done.stdout.split())


def _remedies(
    settings: ProcessSettings, held: frozenset[str], *, is_root: bool, tried: frozenset[str]
) -> Sequence[str]:
    said: list[str] = []
    if not is_root:
        said.append(
            "All notebooks run under the server's own uid, so only one user may have notebooks: run the server as "
            "root, or set TRIVIUM_RUNTIME__SHARED_UID=true where the users trust each other."
        )
    elif "mounts" not in tried:
        said.append(
            "Mount namespaces cannot be made (CAP_SYS_ADMIN is missing): read-only mounts are refused, environments "
            "must be reachable for every user of this machine, and temporary files are shared by all notebooks."
        )
    elif "proc" not in tried:
        said.append(
            "Notebooks see that other users' processes run, and their command lines: that is hidden from Linux 5.8 on, "
            "and in containers only with a /proc that is not masked."
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
