"""What `trivium doctor` finds of how notebooks are kept apart. Nothing is changed."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.drivers.runtimes.process.settings import run_directory
from trivium.resources.notebooks.ports import Capabilities, Enforcement
from trivium.server.admin.findings import Finding, lacking, ok
from trivium.server.settings import Settings

USERS: Final = 65536  # uids from the first one on that are looked at
SUBUID: Final = Path("/etc/subuid")
ROOMS: Final = Path("/run")  # where the sockets of root's sites are, in trivium-*/<launch>/own
RANGE: Final = re.compile(r"([^:]+):(\d+):(\d+)")
TELLING: Final = ("/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")


def isolation(found: Capabilities) -> Iterator[Finding]:
    """How notebooks are kept apart and within their limits."""
    said = "; ".join(
        (
            "each user's notebooks run under a uid of their own"
            if found.uid_per_user
            else "all notebooks share one uid",
            "mount namespaces can be made" if found.mount_namespace else "mount namespaces cannot be made",
            "other users' processes are hidden" if found.hidden_processes else "other users' processes show",
        )
    )
    limits = {"CPU": found.cpu, "memory": found.memory, "processes": found.processes, "disk": found.disk}
    held = ", ".join(f"{name} {how.value}" for name, how in limits.items())
    good = found.uid_per_user and found.mount_namespace and found.hidden_processes
    first, *rest = found.remedies or ("",)
    yield ok("isolation", said) if good else lacking("isolation", said, first)
    left = rest if not good else [first, *rest]
    enforced = all(limits[name] is Enforcement.ENFORCED for name in ("CPU", "memory", "processes"))
    yield ok("limits", held) if enforced else lacking("limits", held, " ".join(left))


def uids(settings: Settings) -> Iterator[Finding]:
    """Whether the uids that users get are given to somebody else on this machine too."""
    if os.geteuid() != 0:
        return
    first = settings.runtime.first_uid
    last = first + USERS - 1
    said = f"users get uids from {first} on"
    others = [*_accounts(first, last), *_delegated(first, last), *_other_sites(settings, first, last)]
    if not others:
        yield ok("uids", said)
        return
    remedy = "set TRIVIUM_RUNTIME__FIRST_UID before the site's first start, so that nobody else has its uids"
    yield lacking("uids", f"{said}, and so have {', '.join(others)}", remedy)


def doors() -> Iterator[Finding]:
    """Whether a socket that gives root away is open to everybody, notebooks included."""
    for place in TELLING:
        with suppress(OSError):
            if Path(place).stat().st_mode & 0o002:
                yield lacking("sockets", f"{place} is open to everybody", f"chmod o-w {place}")


def _accounts(first: int, last: int) -> Iterator[str]:
    for account in pwd.getpwall():
        if first <= account.pw_uid <= last:
            yield f"the account {account.pw_name}"


def _delegated(first: int, last: int) -> Iterator[str]:
    with suppress(OSError):
        for line in SUBUID.read_text("utf-8", "replace").splitlines():
            told = RANGE.fullmatch(line.strip())
            if told is not None and int(told[2]) <= last and int(told[2]) + int(told[3]) > first:
                yield f"the containers of {told[1]} ({SUBUID})"


def _other_sites(settings: Settings, first: int, last: int) -> Iterator[str]:
    """Other sites whose notebooks run under uids like ours."""
    ours = settings.runtime.run_dir or run_directory(settings.data)
    for site in sorted(ROOMS.glob("trivium-*")):
        with suppress(OSError):
            if site != ours and any(first <= room.stat().st_uid <= last for room in site.glob("*/own")):
                yield f"another Trivium, whose sockets are in {site}"
