"""A launch's plan as it is sent to a fork of a fork server; its specification is read from the journal instead."""

from __future__ import annotations

from trivium.drivers.runtimes.process.keeper.launches import journal
from trivium.drivers.runtimes.process.keeper.launches.journal import Journal, Note
from trivium.drivers.runtimes.process.keeper.launches.spec import paths_of, read_spec
from trivium.drivers.runtimes.process.keeper.startup.steps import Plan
from trivium.drivers.runtimes.process.keeper.system.cgroups import Cgroup, Hierarchy


def encode(plan: Plan, directory: str, hierarchies: tuple[Hierarchy, ...]) -> Note:
    """A plan whose launch has its journal in `directory`, as JSON can hold it."""
    return {
        "directory": directory,
        "data": plan.paths.data,
        "run": plan.paths.sockets,
        "port": plan.port,
        "mark": plan.mark,
        "cpus": None if plan.cpus is None else sorted(plan.cpus),
        "hierarchies": [] if plan.cgroup is None else hierarchies,
    }


def decode(note: Note) -> tuple[Plan, str]:
    """The plan, and the directory of its launch's journal; KeyError, TypeError or ValueError when it is none."""
    directory = str(note["directory"])
    spec = read_spec(Journal(directory).read(journal.INTENT) or {})
    hierarchies = tuple(Hierarchy(int(one[0]), str(one[1]), tuple(one[2])) for one in note["hierarchies"])
    plan = Plan(
        spec=spec,
        paths=paths_of(spec, str(note["data"]), str(note["run"])),
        port=int(note["port"]),
        cgroup=Cgroup(hierarchies, spec.name) if hierarchies else None,
        cpus=None if note["cpus"] is None else frozenset(note["cpus"]),
        mark=str(note["mark"]),
    )
    return plan, directory
