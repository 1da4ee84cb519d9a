"""Use cases of quotas: setting them, and counting what a project has against them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, insert, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.resources import events, projects
from trivium.resources.quotas.errors import QuotaExceeded
from trivium.resources.quotas.table import quotas
from trivium.resources.quotas.types import DEFAULTS, Quota
from trivium.store import Read, Write

LARGEST: Final = 1_000_000


def get(tx: Read, project: int, name: str) -> Quota:
    """How many of these the project may have, and has. `Invalid` for what there is no quota of."""
    return _quota(_checked(name), tx.first(select(quotas).where(*_which(project, name))))


def of_project(tx: Read, project: int) -> Sequence[Quota]:
    """Every quota of the project, in the order of their names."""
    rows = {row.name: row for row in tx.all(select(quotas).where(quotas.c.project_id == project))}
    return [_quota(name, rows.get(name)) for name in sorted(DEFAULTS)]


def set_most(tx: Write, caller: Caller, project: int, *, name: str, most: int | None) -> Quota:
    """Say how many of these the project may have; None for the default. What it has already, it keeps.

    Raises `Forbidden` unless the caller is an administrator, `Invalid` for a name or number that makes no sense, and
    `ProjectNotFound`.
    """
    caller.must_be_admin("set quotas")
    if most is not None and not 0 <= most <= LARGEST:
        message = f"a quota is a number from 0 to {LARGEST}"
        raise Invalid("most", message)
    before = _locked(tx, project, _checked(name))
    tx.run(update(quotas).where(*_which(project, name)).values(most=most))
    after = get(tx, project, name)
    events.record(
        tx,
        caller,
        "quota.set",
        target=project,
        project=project,
        before={"name": name, "most": before.most},
        after={"name": name, "most": after.most},
    )
    return after


def claim(tx: Write, caller: Caller, project: int, *, name: str) -> None:
    """Count one more; until the transaction ends, nobody else counts the project's. `QuotaExceeded`, `ProjectNotFound`.

    An administrator may go beyond it.
    """
    found = _locked(tx, project, _checked(name))
    if found.used >= found.most and not caller.is_admin:
        raise QuotaExceeded(name=name, most=found.most)
    tx.run(update(quotas).where(*_which(project, name)).values(used=quotas.c.used + 1))


def give_back(tx: Write, project: int, *, name: str) -> None:
    """Count one less."""
    tx.run(update(quotas).where(*_which(project, name)).values(used=quotas.c.used - 1))


def _locked(tx: Write, project: int, name: str) -> Quota:
    """The quota, locked; its row is made where there is none."""
    wanted = select(quotas).where(*_which(project, name))
    row = tx.lock(wanted)
    if row is None:
        projects.lock(tx, project)  # of two who come first at once, one makes the row
        row = tx.lock(wanted)
    if row is None:
        tx.run(insert(quotas).values(project_id=project, name=name, most=None, used=0))
    return _quota(name, row)


def _which(project: int, name: str) -> tuple[ColumnElement[bool], ...]:
    return quotas.c.project_id == project, quotas.c.name == name


def _quota(name: str, row: Row[Any] | None) -> Quota:
    if row is None:
        return Quota(name=name, most=DEFAULTS[name], used=0)
    return Quota(name=name, most=DEFAULTS[name] if row.most is None else row.most, used=row.used)


def _checked(name: str) -> str:
    if name not in DEFAULTS:
        message = f"there are quotas of {', '.join(sorted(DEFAULTS))}"
        raise Invalid("name", message)
    return name
