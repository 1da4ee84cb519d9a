"""What must hold whenever a site is at rest, whatever was killed before. `docs/invariants.md` says why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from tests.crash.ledger import Book, Ledger
from tests.crash.machine import Machine
from tests.crash.model import Asked, Lived, Model
from tests.crash.scnet import User, Visitor
from trivium.dialects.scnet.statuses import SHOWN
from trivium.drivers.runtimes.process.keeper.system import listeners, processes
from trivium.drivers.runtimes.process.keeper.system.processes import Identity
from trivium.resources.notebooks import Status

VERBS = ("create", "start", "stop", "release")
WANTED = {"create": "running", "start": "running", "stop": "stopped", "release": "deleted"}
FOUND = {"running": "running", "stopped": "stopped", "deleted": "gone"}


@dataclass(frozen=True)
class Scene:
    """A site at rest, with all that is looked at."""

    model: Model
    ledger: Ledger
    machine: Machine
    book: Book
    users: dict[str, User]
    visitor: Visitor

    def pairs(self) -> Iterator[tuple[Asked, Row[Any]]]:
        """Each notebook that is known to have been made, with its row."""
        for asked in self.model.asked:
            if asked.id is not None and asked.id in self.ledger.notebooks:
                yield asked, self.ledger.notebooks[asked.id]

    def names(self) -> set[str]:
        """The starts that run now, as the keeper and the cgroups call them."""
        return {f"{row.id}-{row.generation}" for row in self.ledger.running}


Check = Callable[[Scene], Iterator[str]]


def resolve(model: Model, ledger: Ledger) -> None:
    """Find out of every call that nobody answered whether it happened."""
    by_mark = {row.start_command: row for row in ledger.notebooks.values()}
    never: list[Asked] = []
    for asked in model.asked:
        doubt = asked.doubt
        if doubt is None:
            continue
        if doubt.kind == "create":
            row = by_mark.get(asked.mark)
            asked.id = None if row is None else row.id
            asked.resolve(happened=row is not None)
            if row is None:
                never.append(asked)
        elif doubt.kind in VERBS:
            assert asked.id is not None
            asked.resolve(happened=_count(ledger, asked.id)[doubt.kind] > asked.calls[doubt.kind])
        else:
            row = ledger.notebooks.get(asked.id or 0)
            told = {} if row is None else {"name": row.name, "port": row.service_port}
            asked.resolve(happened=all(told.get(name) == value for name, value in doubt.changes.items()))
    model.drop(never)


def acknowledged_stands(scene: Scene) -> Iterator[str]:
    """Every call that was answered is there: its operation, what it asked for, its name, its port, its image."""
    saved = Counter(row.notebook_id for row in scene.ledger.images)
    for asked in scene.model.asked:
        row = scene.ledger.notebooks.get(asked.id or 0)
        if row is None:
            yield f"{asked.mark}: its creation was acknowledged as {asked.id}, and it is not there"
            continue
        counted = _count(scene.ledger, row.id)
        for verb in VERBS:
            if counted[verb] != asked.calls[verb]:
                yield f"{row.id}: {asked.calls[verb]} × {verb} acknowledged, {counted[verb]} written down"
        if row.wanted != asked.wanted:
            yield f"{row.id}: asked to be {asked.wanted}, and {row.wanted} is written down"
        if asked.name is not None and row.name != asked.name:
            yield f"{row.id}: called {asked.name}, and {row.name} is written down"
        if row.service_port != asked.port:
            yield f"{row.id}: service on {asked.port}, and {row.service_port} is written down"
        if saved[row.id] != asked.saves:
            yield f"{row.id}: {asked.saves} saves acknowledged, {saved[row.id]} images"


def whole_or_not_at_all(scene: Scene) -> Iterator[str]:
    """Nothing is there that nobody asked for, and no part of a call without the rest of it."""
    known = scene.model.by_id()
    yield from (f"{id}: nobody asked for this notebook" for id in scene.ledger.notebooks if id not in known)
    for name, rows in (("operation", scene.ledger.operations), ("event", scene.ledger.events)):
        yield from (f"{id}: {name}s of no notebook" for id in rows if id not in scene.ledger.notebooks)
    for row in scene.ledger.notebooks.values():
        operations = _of_people(scene.ledger.operations.get(row.id, []), "kind")
        events = _of_people(scene.ledger.events.get(row.id, []), "action")
        if operations != events:
            yield f"{row.id}: operations {dict(operations)} and events {dict(events)} differ"
        newest = max(scene.ledger.operations.get(row.id, []), key=lambda one: one.id, default=None)
        if newest is None:
            yield f"{row.id}: no operation made it"
        elif newest.id != row.operation or WANTED[newest.kind.partition(".")[2]] != row.wanted:
            yield f"{row.id}: {row.wanted} by operation {row.operation}, and the newest is {newest.kind} {newest.id}"


def asked_is_reached(scene: Scene) -> Iterator[str]:
    """Every notebook is what was asked last; one that was killed by hand, or had no room, has failed and says so."""
    for asked, row in scene.pairs():
        if asked.ended and asked.wanted == "running":
            if row.found != "failed" or _code(row.reason) != asked.ended:
                yield f"{row.id}: ended with {asked.ended}, and {row.found} with reason {row.reason}"
        elif row.found != FOUND[asked.wanted]:
            yield f"{row.id}: asked to be {asked.wanted}, and {row.found} with reason {row.reason}"


def excuse(scene: Scene) -> None:
    """Take it for what must be that starts failed for a reason that this site gives: a full disk, say."""
    for asked, row in scene.pairs():
        if asked.wanted == "running" and row.found == "failed" and _code(row.reason) in scene.model.excuses:
            asked.ended = _code(row.reason)


def what_runs_runs_on(scene: Scene) -> Iterator[str]:
    """A notebook that nobody stopped, started or killed is the same start and the same process as before."""
    for asked, row in scene.pairs():
        lived = scene.model.lived.get(row.id)
        if lived is None or asked.wanted != "running" or asked.ended or lived.starts != starts_of(asked):
            continue
        if (row.workload, row.generation) != (lived.workload, lived.generation):
            yield f"{row.id}: was {lived.workload} ({lived.generation}), is {row.workload} ({row.generation})"
        elif not processes.is_alive(lived.main):
            yield f"{row.id}: its process {lived.main} is gone"


def own_door_only(scene: Scene) -> Iterator[str]:
    """Every running notebook answers at its own address, with its own process, and no ticket opens another's door."""
    mine = scene.model.by_id()
    running = [row.id for row in scene.ledger.running if row.id in mine]
    lived: dict[int, Lived] = {}
    for number, id in enumerate(running):
        link = scene.users[mine[id].user].get("url", notebookId=str(id))
        if not link.ok or link.data["status"] != "active":
            yield f"{id}: runs, and its link is {link}"
            continue
        status, said = scene.visitor.visit(link.data["url"])
        row = scene.ledger.notebooks[id]
        told = json.loads(said) if status == 200 else {}
        if told.get("notebook") != str(id):
            yield f"{id}: its door answers {status} {said[:200]}"
            continue
        held = sorted(one.number for one in scene.ledger.devices if one.holder == id)
        if told["devices"] != ",".join(map(str, held)):
            yield f"{id}: holds devices {held}, and sees {told['devices']!r}"
        main = Identity(told["pid"], told["started"])
        before = scene.model.lived.get(id)
        if before is not None and before.generation == row.generation and before.main != main:
            yield f"{id}: was process {before.main}, and is {main} in the same start"
        lived[id] = Lived(row.workload, row.generation, main, starts_of(mine[id]))
        other = running[number - 1]
        if other != id:
            status, said = scene.visitor.visit(link.data["url"], of=str(other))
            if status not in {401, 403, 404} or (str(other) in said and '"pid"' in said):
                yield f"{id}: its ticket at the door of {other} gave {status} {said[:200]}"
    scene.model.lived = lived


def nothing_is_left_behind(scene: Scene) -> Iterator[str]:
    """No process, directory, socket, cgroup or mount beside those of notebooks that are there."""
    machine, names = scene.machine, scene.names()
    running = {row.id for row in scene.ledger.running}
    held = (("notes", machine.launches), ("rooms", machine.rooms))
    where_there_are_any = (("cgroups", machine.cgroups), ("temporary files", machine.temporary))
    for what, found in (*held, *((what, found) for what, found in where_there_are_any if found)):
        if found != names:
            yield f"{what}: {sorted(found - names)} too many, {sorted(names - found)} missing"
    here = {row.id for row in scene.ledger.here}
    for what, ids in (("layers", machine.layers), ("logs", machine.logs)):
        if not running <= ids <= here:
            yield f"{what}: {sorted(ids - here)} too many, {sorted(running - ids)} missing"
    kept = {row.uuid.hex for row in scene.ledger.images if row.notebook_id is not None and row.status == "active"}
    if machine.saved != kept:
        yield f"saved layers: {sorted(machine.saved - kept)} too many, {sorted(kept - machine.saved)} missing"
    yield from machine.odd
    yield from _processes_left(machine, running)


def ports_are_free(scene: Scene) -> Iterator[str]:
    """No service listens that belongs to a notebook which does not run.

    Long after, a port may be that of another site on this machine, or of a notebook that runs.
    """
    running = {row.id for row in scene.ledger.running}
    idle = [pid for pid, one in scene.machine.processes.items() if one.notebook not in running]
    for asked, row in scene.pairs():
        if asked.port is None or row.id in running:
            continue
        if listeners.of(idle, asked.port) is not None:
            yield f"{row.id}: does not run, and port {asked.port} is held"


def nothing_is_held_twice(scene: Scene) -> Iterator[str]:
    """Reservations are what notebooks that run or will run hold; nodes and devices agree with them."""
    ledger = scene.ledger
    holding = {row.id: row for row in ledger.notebooks.values() if row.found in {"nothing", "starting", "running"}}
    if set(ledger.reservations) != set(holding):
        yield f"reservations of {sorted(ledger.reservations)}, and {sorted(holding)} run"
    for holder, one in ledger.reservations.items():
        row = holding.get(holder)
        if row is not None and (one.kind, one.units, one.millicores, one.memory, one.node_id) != (
            row.kind, row.units, row.millicores, row.memory, row.node_id):  # fmt: skip
            yield f"{holder}: has {row.units} {row.kind}, and {one.units} {one.kind} is reserved"
        held = [device for device in ledger.devices if device.holder == holder]
        units = 0 if one.kind == "cpu" else one.units
        if len(held) != units or any((device.kind, device.node_id) != (one.kind, one.node_id) for device in held):
            yield f"{holder}: {one.units} {one.kind} reserved, {len(held)} devices held"
    strangers = {device.holder for device in ledger.devices} - set(ledger.reservations) - {None}
    yield from (f"{holder}: holds devices without a reservation" for holder in strangers)
    for node in ledger.nodes:
        mine = [one for one in ledger.reservations.values() if one.node_id == node.id]
        mine += [one for one in ledger.nodes if one.parent_id == node.id and one.listed]  # slices are held, too
        sums = sum(one.millicores for one in mine), sum(one.memory for one in mine)
        if sums != (node.held_millicores, node.held_memory):
            yield f"node {node.name}: {sums} reserved, {node.held_millicores, node.held_memory} held"
        if sums[0] > node.millicores or sums[1] > node.memory:
            yield f"node {node.name}: more is reserved than it has"


def free_numbers_are_true(scene: Scene) -> Iterator[str]:
    """What the API calls free is what the node has beside the reservations."""
    free = _free(scene.ledger)
    for user in scene.users.values():
        for record in user.everything():
            if record["freeNumber"] != free[record["acceleratorType"]]:
                yield f"{record['id']}: freeNumber {record['freeNumber']} of {record['acceleratorType']}, {free} free"
        shown = {one["resourceType"].lower(): one["maxFreeNum"] for one in user.resources().data}
        if shown != free:
            yield f"resources show {shown} free, and {free} is"


def operations_are_over(scene: Scene) -> Iterator[str]:
    """A notebook at rest has no call under way; a call has failed only where the notebook has."""
    for row in scene.ledger.notebooks.values():
        for operation in scene.ledger.operations.get(row.id, []):
            if operation.finished_at is None:
                yield f"{row.id}: {operation.kind} {operation.id} is not finished"
            elif operation.status == "failed" and operation.reason_code is None:
                yield f"{row.id}: {operation.kind} {operation.id} failed without a reason"


def every_change_is_an_event(scene: Scene) -> Iterator[str]:
    """The events of a notebook are a chain from its creation to the status it has."""
    for row in scene.ledger.notebooks.values():
        status = Status.CREATING.value
        for event in scene.ledger.events.get(row.id, []):
            before, after = (json.loads(text or "{}").get("status") for text in (event.before, event.after))
            if after is None:
                continue
            if before != status:
                yield f"{row.id}: {event.action} says it was {before}, and the event before that left it {status}"
            status = after
        if status != row.status:
            yield f"{row.id}: is {row.status}, and its last event says {status}"


def everyone_sees_their_own(scene: Scene) -> Iterator[str]:
    """A user's list holds what is theirs and was not released, as it is; another's is not found."""
    for name, user in scene.users.items():
        mine = {str(asked.id): asked for asked in scene.model.of(name)}
        shown = user.everything()
        if Counter(record["id"] for record in shown) != Counter(list(mine)):
            yield f"{name}: sees {sorted(record['id'] for record in shown)}, has {sorted(mine)}"
        for record in shown:
            row = scene.ledger.notebooks.get(int(record["id"]))
            told = record["notebookStatus"], record["notebookName"], record["containerId"]
            if row is not None and told != (SHOWN[Status(row.status)], row.name, row.workload):
                yield f"{record['id']}: shown as {told}, is {row.status} {row.name} {row.workload}"
        other = next((one for one in scene.model.asked if one.user != name and one.id is not None), None)
        if other is not None:
            answer = user.get("detail", notebookId=str(other.id))
            if answer.code != "10004":
                yield f"{name}: asked for {other.user}'s {other.id} and was told {answer}"


def sessions_live_on(scene: Scene) -> Iterator[str]:
    """A token that was given is good as long as it says, whatever was killed since."""
    for name, tokens in scene.model.tokens:
        answer = scene.users[name].with_tokens(tokens).get("list", page=1, size=1)
        if not answer.ok:
            yield f"{name}: an old token is answered with {answer}"


def the_database_is_sound(scene: Scene) -> Iterator[str]:
    """The database finds no fault with itself."""
    yield from scene.book.faults()


INVARIANTS: tuple[Check, ...] = (
    the_database_is_sound,
    acknowledged_stands,
    whole_or_not_at_all,
    asked_is_reached,
    what_runs_runs_on,
    nothing_is_held_twice,
    operations_are_over,
    every_change_is_an_event,
    everyone_sees_their_own,
    sessions_live_on,
    free_numbers_are_true,
    own_door_only,
    ports_are_free,
    nothing_is_left_behind,
)


def starts_of(asked: Asked) -> int:
    """How often it was started, stopped or released: what may change its process."""
    return sum(asked.calls[verb] for verb in VERBS)


def _count(ledger: Ledger, notebook: int) -> Counter[str]:
    return Counter(row.kind.partition(".")[2] for row in ledger.operations.get(notebook, []))


def _of_people(rows: list[Row[Any]], column: str) -> Counter[str]:
    """How often people asked for each verb."""
    words = [getattr(row, column).partition(".")[2] for row in rows if row.user_id]
    return Counter(word for word in words if word in VERBS)


def _free(ledger: Ledger) -> dict[str, int]:
    """Units of each kind that fit beside what is reserved, reckoned from the reservations alone."""
    (node,) = ledger.nodes
    millicores = node.millicores - sum(one.millicores for one in ledger.reservations.values())
    memory = node.memory - sum(one.memory for one in ledger.reservations.values())
    free: dict[str, int] = {}
    for flavor in ledger.flavors:
        fits = min(millicores // flavor.millicores, memory // flavor.memory)
        if flavor.kind != "cpu":
            held = sum(one.units for one in ledger.reservations.values() if one.kind == flavor.kind)
            fits = min(fits, sum(one.kind == flavor.kind for one in ledger.devices) - held)
        free[flavor.kind] = fits
    return free


def _processes_left(machine: Machine, running: set[int]) -> Iterator[str]:
    """Processes of notebooks that do not run, and minders that mind nothing."""
    table = processes.everyone()
    for pid, one in machine.processes.items():
        if one.notebook is not None and one.notebook not in running:
            yield f"process {pid} of {one.notebook}, which does not run: {' '.join(one.words)[:100]}"
    alive = {pid for pid, one in machine.processes.items() if one.notebook is not None}
    minded: set[int] = set()
    for pid in machine.minders:
        below = processes.descendants([pid], table) & alive
        minded |= below
        if not below:
            yield f"process {pid} minds nothing"
    if machine.keeper is None and running:
        yield "no keeper runs"
    yield from _parents_left(machine)
    others = [
        one for one in machine.processes.values() if one.notebook is None and one.warms is None and not one.is_keepers
    ]
    if len(others) > 1:
        yield f"more than one server: {[' '.join(one.words)[:100] for one in others]}"
    yield from (f"process {pid} is minded by nobody" for pid in alive - minded if pid in table)


def _parents_left(machine: Machine) -> Iterator[str]:
    """Warm parents that are not the keeper's, more than one of an image, and folders of parents that are gone."""
    yield from (f"{one} is no warm parent's" for one in machine.folders - {one.folder for one in machine.parents})
    for one in machine.parents:
        if machine.keepers_pid is None or one.parent != machine.keepers_pid:
            yield f"process {one.identity.pid} is a warm parent of {one.warms}, and no child of the keeper"
    for image, count in Counter(one.warms for one in machine.parents).items():
        if count > 1:
            yield f"{image} has {count} warm parents"


def _code(reason: str | None) -> str | None:
    return json.loads(reason or "{}").get("code")
