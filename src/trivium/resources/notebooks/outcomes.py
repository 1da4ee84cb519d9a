"""Writing down what became of a notebook, unless somebody asked for something else since it was looked at."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update

from trivium.base.caller import SYSTEM
from trivium.base.clock import MICROSECOND
from trivium.base.reasons import Reason
from trivium.base.site import Site
from trivium.resources import events, hosts, images, nodes, operations
from trivium.resources.notebooks import attachments
from trivium.resources.notebooks.changes import change, deadline, finish, lock
from trivium.resources.notebooks.leases import stop_at
from trivium.resources.notebooks.ports import Ending, Exit, Observation, Phase, SavedLayer
from trivium.resources.notebooks.states import RELEASABLE, STOPPABLE
from trivium.resources.notebooks.table import THERE, document, notebooks
from trivium.resources.notebooks.types import Found, Notebook, Status, Wanted
from trivium.store import Read, Write

MOST_LOSSES: Final = 3
EXPIRED_AT_ONCE: Final = 100
RUNS: Final = notebooks.c.found == Found.RUNNING.value
STOPPED: Final = notebooks.c.stopped_at.is_not(None)
CUT_SHORT: Final = Reason(code="image.save_cut_short")
NOWHERE: Final = {"address": None, "workload": None, "service_seen": False, "stop_at": None}


def note_alive(tx: Write, seen_before: Notebook, seen: Observation) -> None:
    """It starts, or it runs now."""
    before = _unchanged(tx, seen_before)
    if before is None:
        return
    if seen.phase is not Phase.RUNNING:
        change(tx, before, found=Found.STARTING, progress=seen.progress, workload=seen.workload)
        for operation in operations.unfinished(tx, before.id):
            operations.advance(tx, operation.id, progress=seen.progress)
        return
    after = change(
        tx,
        before,
        found=Found.RUNNING,
        progress=None,
        reason=None,
        address=document(seen.address),
        workload=seen.workload,
        started_at=tx.now,
        stopped_at=None,
        stop_at=deadline(tx.now, before),
    )
    finish(tx, after)
    _record(tx, before, after)


def note_lost(tx: Write, seen_before: Notebook) -> None:
    """It was there and is not, and nobody saw why: it is started again, as it was asked to run, a few times at most."""
    before = _unchanged(tx, seen_before)
    if before is None:
        return
    attachments.forget(tx, before.id)
    losses = before.losses + 1
    if losses > MOST_LOSSES:
        _end(tx, before, Found.FAILED, reason=Reason(code="notebook.lost"))
        return
    after = change(
        tx, before, found=Found.NOTHING, generation=before.generation + 1, losses=losses, progress=0, **NOWHERE
    )
    _record(tx, before, after)


def note_failed(tx: Write, seen_before: Notebook, seen: Observation) -> bool:
    """It ended though it was asked to run; what it held is free again. False where it changed since it was seen."""
    before = _unchanged(tx, seen_before)
    if before is None:
        return False
    if seen.exit is not None and seen.exit.ending is Ending.EXITED and seen.exit.code == 0:
        # Somebody shut it down from within, which is a way to ask for a stop.
        before = change(tx, before, wanted=Wanted.STOPPED)
        _end(tx, before, Found.STOPPED, reason=None if before.save_as is None else CUT_SHORT)
        return True
    _end(tx, before, Found.FAILED, reason=reason_of(seen.exit))
    return True


def note_fault(tx: Write, seen_before: Notebook) -> None:
    """It was given up for a fault of ours, and nothing of it runs; a save that was asked for has failed with it."""
    before = _unchanged(tx, seen_before)
    if before is None:
        return
    _end(tx, before, Found.FAILED, reason=Reason(code="notebook.fault"))


def note_stopped(tx: Write, seen_before: Notebook) -> None:
    """It is stopped, as asked; what it held is free again. If it was to be saved and was not, it goes on saying why."""
    before = _unchanged(tx, seen_before)
    if before is not None:
        _end(tx, before, Found.STOPPED, reason=before.reason)


def note_gone(tx: Write, seen_before: Notebook) -> None:
    """Nothing is left of it."""
    before = _unchanged(tx, seen_before)
    if before is None:
        return
    nodes.free(tx, before.id)
    attachments.forget(tx, before.id)
    before = _without_save(tx, before, None)
    after = change(tx, before, found=Found.GONE, deleted_at=tx.now, release_at=None, progress=None, **NOWHERE)
    finish(tx, after)
    _record(tx, before, after)


def note_saved(tx: Write, seen_before: Notebook, layer: SavedLayer) -> None:
    """The image that was asked for is there."""
    before = _unchanged(tx, seen_before)
    if before is None or before.save_as is None:
        return
    images.finish_save(tx, before.save_as, layer=layer.path, size=layer.size, digest=layer.digest)
    after = change(tx, before, save_as=None)
    if after.status is not before.status:  # it runs on; where it is to stop, that is what is waited for
        finish(tx, after)
        _record(tx, before, after)


def note_save_failed(tx: Write, seen_before: Notebook, detail: str) -> None:
    """The image could not be made; the notebook says why, whether it runs on or is to stop."""
    before = _unchanged(tx, seen_before)
    if before is None or before.save_as is None:
        return
    reason = Reason(code="image.save_failed", details={"detail": detail})
    images.finish_save(tx, before.save_as, reason=reason)
    if before.wanted is not Wanted.RUNNING:
        change(tx, before, save_as=None, reason=reason)
        return
    after = change(tx, before, save_as=None, reason=reason)
    finish(tx, after, reason)
    _record(tx, before, after)


def is_any_on(tx: Read, host: str) -> bool:
    """Whether there are notebooks on the host whose release was not asked for."""
    kept = select(notebooks.c.id).where(notebooks.c.host == host, THERE, notebooks.c.wanted != Wanted.DELETED.value)
    return tx.first(kept.limit(1)) is not None


def forget_host(tx: Write, host: str) -> None:
    """The host will not come back: every notebook on it is gone, and what was asked of it came to nothing."""
    for (id,) in tx.all(select(notebooks.c.id).where(notebooks.c.host == host, THERE).order_by(notebooks.c.id)):
        before = lock(tx, id)
        if before.wanted is not Wanted.DELETED:
            finish(tx, before, Reason(code="notebook.lost"))
            operation = operations.start(tx, SYSTEM, "notebook.release", target=id)
            before = change(tx, before, wanted=Wanted.DELETED, operation=operation.id)
        note_gone(tx, before)


def apply_limits(tx: Write, host: str, site: Site) -> None:
    """Hold every notebook of the host to the limits that the site has now; what is new or changed counts from now.

    Every notebook is made with the limits of its time, so there is nothing to do until the site has others.
    """
    limits = document((site.max_running, site.release_after))
    if hosts.limits_of(tx, host) == limits:
        return
    hosts.note_limits(tx, host, limits)
    mine = (notebooks.c.host == host, THERE)
    stop, release = (None if span is None else tx.now + span for span in (site.max_running, site.release_after))
    for column, span, when, clock in (
        (notebooks.c.max_running, site.max_running, RUNS, {notebooks.c.stop_at: stop_at(stop)}),
        (notebooks.c.release_after, site.release_after, STOPPED, {notebooks.c.release_at: release}),
    ):
        value = None if span is None else span // MICROSECOND
        other = (*mine, column.is_distinct_from(value))
        tx.run(update(notebooks).where(*other, when).values(clock))
        tx.run(update(notebooks).where(*other).values({column: value}))


def is_anything_due(tx: Read, host: str) -> bool:
    """Whether `expire` would find anything to do."""
    return any(
        tx.first(select(notebooks.c.id).where(notebooks.c.host == host, column <= tx.now).limit(1)) is not None
        for column in (notebooks.c.stop_at, notebooks.c.release_at)  # one at a time, for each has its index
    )


def expire(tx: Write, host: str) -> None:
    """Ask for the stop of what ran long enough, and for the release of what was stopped long enough."""
    over = select(notebooks.c.id).where(notebooks.c.host == host, notebooks.c.stop_at <= tx.now)
    for (id,) in tx.all(over.limit(EXPIRED_AT_ONCE)):
        before = lock(tx, id)
        if before.status in STOPPABLE:
            operation = operations.start(tx, SYSTEM, "notebook.stop", target=id)
            after = change(tx, before, wanted=Wanted.STOPPED, reason=None, stop_at=None, operation=operation.id)
            _record(tx, before, after)
    due = select(notebooks.c.id).where(notebooks.c.host == host, notebooks.c.release_at <= tx.now)
    for (id,) in tx.all(due.limit(EXPIRED_AT_ONCE)):
        before = lock(tx, id)
        if before.status in RELEASABLE - {Status.RUNNING}:
            operation = operations.start(tx, SYSTEM, "notebook.release", target=id)
            after = change(tx, before, wanted=Wanted.DELETED, release_at=None, operation=operation.id)
            _record(tx, before, after)


def reason_of(exit: Exit | None) -> Reason:
    """Why it ended, in words that a person can act on."""
    if exit is None:
        return Reason(code="notebook.lost")
    details = {"detail": exit.detail}
    if exit.signal is not None and exit.ending is Ending.EXITED:
        # The last line of its log, which is the detail, has nothing to do with a signal from outside.
        return Reason(code="notebook.ended.killed", details={"signal": str(exit.signal)})
    if exit.code is not None:
        details["code"] = str(exit.code)
    return Reason(code=f"notebook.ended.{exit.ending.value}", details=details)


def _unchanged(tx: Write, seen: Notebook) -> Notebook | None:
    """The notebook locked, if it is still asked for what it was when it was looked at; else None."""
    before = lock(tx, seen.id)
    same = before.wanted is seen.wanted and before.generation == seen.generation and before.found is seen.found
    return before if same and before.save_as == seen.save_as else None


def _end(tx: Write, before: Notebook, found: Found, *, reason: Reason | None) -> None:
    nodes.free(tx, before.id)
    attachments.forget(tx, before.id)
    before = _without_save(tx, before, reason)
    after = change(
        tx,
        before,
        found=found,
        reason=reason,
        progress=None,
        stopped_at=tx.now,
        release_at=None if before.release_after is None else tx.now + before.release_after,
        **NOWHERE,
    )
    finish(tx, after, reason)
    _record(tx, before, after)


def _without_save(tx: Write, before: Notebook, reason: Reason | None) -> Notebook:
    """The notebook that ended, which nothing can be saved of any more: a save that was asked for has failed."""
    if before.save_as is None:
        return before
    images.finish_save(tx, before.save_as, reason=reason or CUT_SHORT)
    return change(tx, before, save_as=None)


def _record(tx: Write, before: Notebook, after: Notebook) -> None:
    details = {"status": after.status.value}
    if after.reason is not None:
        details["reason"] = after.reason.code
    events.record(
        tx,
        SYSTEM,
        f"notebook.{after.status.value}",
        target=after.id,
        project=after.project,
        before={"status": before.status.value},
        after=details,
    )
