"""A launch's plan as it is told to the fork of a warm parent: what was asked is read from the journal."""

from __future__ import annotations

from trivium.drivers.runtimes.process.keeper import journal
from trivium.drivers.runtimes.process.keeper.cgroups import Cgroup, Hierarchy
from trivium.drivers.runtimes.process.keeper.journal import Journal, Note
from trivium.drivers.runtimes.process.keeper.spec import paths_of, read_spec
from trivium.drivers.runtimes.process.keeper.starting import Plan


def told(plan: Plan, directory: str, hierarchies: tuple[Hierarchy, ...]) -> Note:
    """A plan whose launch has its notes in `directory`."""
    return {
        "directory": directory,
        "data": plan.paths.data,
        "run": plan.paths.sockets,
        "port": plan.port,
        "mark": plan.mark,
        "cpus": None if plan.cpus is None else sorted(plan.cpus),
        "hierarchies": [] if plan.cgroup is None else hierarchies,
    }


def read(note: Note) -> tuple[Plan, str]:
    """The plan, and where its launch's notes lie; KeyError, TypeError or ValueError when there is none."""
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
