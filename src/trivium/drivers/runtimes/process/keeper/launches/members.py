"""Which processes belong to a launch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.system import processes
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup
from trivium.drivers.runtimes.process.keeper.system.processes import Identity, Seen

MARK = "TRIVIUM_LAUNCH"  # a random word in a notebook's environment; a hint among others, never proof


class Roots(NamedTuple):
    """What is known of a launch's processes without looking."""

    minders: frozenset[Identity]
    main: Identity | None
    known: frozenset[Identity]  # seen in it before
    mark: str
    uid: int | None
    cgroup: Cgroup | None


def of(roots: Roots, table: Mapping[int, Seen]) -> set[int]:
    """The pids of a launch's living processes, its minders left out.

    Everything below a living minder is the launch's, and so is everything in its cgroup and what was seen in it before.
    Where a minder was killed, so is what is in the main process's session, and what came to the keeper or init and
    carries the launch's mark under its uid; and all that is below those.
    """
    alive = {one.pid for one in roots.minders if _is(one, table)}
    found = processes.descendants(alive, table)
    if roots.cgroup is not None:
        found |= roots.cgroup.pids()
    known = {one.pid for one in roots.known if _is(one, table)}
    if len(alive) < len(roots.minders):
        known |= _orphans(roots, table)
    found |= known | processes.descendants(known, table)
    return {pid for pid in found - alive if pid in table and table[pid].is_alive}


def identities(pids: Iterable[int], table: Mapping[int, Seen]) -> frozenset[Identity]:
    """Who these are."""
    return frozenset(table[pid].identity for pid in pids if pid in table)


def _orphans(roots: Roots, table: Mapping[int, Seen]) -> set[int]:
    known: set[int] = set()
    main = roots.main
    if main is not None and not _is_other(main, table):
        # While anything is in the session that the main process led, its pid is given to nobody else.
        known |= {one.pid for one in table.values() if one.session == main.pid and one.started >= main.started}
    return known | {pid for pid, one in table.items() if one.parent in {1, os.getpid()} and _is_marked(pid, roots)}


def _is_marked(pid: int, roots: Roots) -> bool:
    if not roots.mark or pid == os.getpid():
        return False
    if f"{MARK}={roots.mark}".encode() not in processes.environment(pid):
        return False
    return roots.uid is None or processes.owner(pid) == roots.uid


def _is(identity: Identity, table: Mapping[int, Seen]) -> bool:
    process = table.get(identity.pid)
    return process is not None and process.identity == identity and process.is_alive


def _is_other(identity: Identity, table: Mapping[int, Seen]) -> bool:
    """Whether the pid was given to another process since."""
    process = table.get(identity.pid)
    return process is not None and process.identity != identity
