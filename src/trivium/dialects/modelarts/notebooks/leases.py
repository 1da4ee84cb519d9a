"""Leases: for how long a notebook may run, and giving it more time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from trivium.dialects.modelarts.errors import LeaseMissing, LeaseOutOfBounds
from trivium.dialects.modelarts.notebooks.finding import notebook_uuid
from trivium.dialects.modelarts.notebooks.shapes import LeaseBody, LeaseQuery, LeaseShape
from trivium.dialects.modelarts.settings import ModelArtsSettings
from trivium.dialects.modelarts.spelling import MILLISECOND, Text, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.resources import notebooks
from trivium.resources.notebooks import LeaseAsked, LeaseKind, Notebook

PATH: Final = "/v1/{project_id}/notebooks/{id}/lease"
FOR_EVER: Final = -1
DEFAULT: Final = timedelta(hours=1)
TIMING: Final = "TIMING"
KINDS: Final = (TIMING, "IDLE")


class Durations:
    """For how long notebooks may be asked to run."""

    def __init__(self, settings: ModelArtsSettings) -> None:
        self._least = settings.shortest_lease
        self._most = settings.longest_lease

    def asked(self, duration: int | None, kind: Text) -> LeaseAsked:
        """The lease of so many milliseconds; an hour where none are told. `LeaseOutOfBounds`, `NotOneOf`."""
        word = one_of(kind, "type", KINDS) or TIMING
        if duration == FOR_EVER:
            return LeaseAsked(duration=None)
        span = min(max(DEFAULT, self._least), self._most) if duration is None else self._checked(duration)
        return LeaseAsked(duration=span, kind=LeaseKind(word.lower()))

    def _checked(self, duration: int) -> timedelta:
        least, most = self._least // MILLISECOND, self._most // MILLISECOND
        if not least <= duration <= most:
            raise LeaseOutOfBounds("duration", least=least, most=most)
        return timedelta(milliseconds=duration)


def lease_shape(notebook: Notebook) -> LeaseShape:
    """The notebook's lease; of one without, what the site lets it run for."""
    lease = notebook.lease
    if lease is not None:
        return LeaseShape(
            create_at=milliseconds(lease.created_at),
            duration=lease.duration // MILLISECOND if lease.enabled else FOR_EVER,
            enable=lease.enabled,
            type=lease.kind.value.upper(),
            update_at=milliseconds(lease.updated_at),
        )
    begin = milliseconds(notebook.started_at or notebook.created_at)
    limit = notebook.max_running
    return LeaseShape(
        create_at=begin,
        duration=FOR_EVER if limit is None else limit // MILLISECOND,
        enable=limit is not None,
        type=TIMING,
        update_at=begin,
    )


def show_lease(tx: Read, call: Call[Nothing, Nothing]) -> LeaseShape:
    """The lease of a notebook that runs."""
    return lease_shape(notebooks.leased(tx, call.caller, notebook_uuid(call.request.parameters["id"])))


def operations(durations: Durations) -> tuple[Operation, ...]:
    """What can be asked of leases."""

    async def renew(call: Call[LeaseBody, LeaseQuery]) -> LeaseShape:
        """Let a notebook run for so long from now on; what the query says goes before the body."""
        told, told_kind = (
            (call.body.duration, call.body.type) if call.query.duration is None else (call.query.duration, TIMING)
        )
        if told is None:
            raise LeaseMissing("duration")
        lease = durations.asked(told, told_kind)
        found = await call.read(notebooks.leased, notebook_uuid(call.request.parameters["id"]))
        return lease_shape(await call.write(notebooks.renew, found.id, lease=lease))

    return (
        Operation(
            name="ShowLease",
            method="GET",
            path=PATH,
            handler=View(look=show_lease),
            mark=Mark.COMPANION,
            summary="How long a notebook that runs may go on",
        ),
        Operation(
            name="RenewLease",
            method="PATCH",
            path=PATH,
            handler=renew,
            mark=Mark.COMPANION,
            summary="Let a notebook run for so long from now on",
            body=LeaseBody,
            query=LeaseQuery,
        ),
    )
