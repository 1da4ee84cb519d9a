"""Versions of one model: how they are written, in which order they come, and which is the latest."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from trivium.base.values import Value
from trivium.resources.models.table import models
from trivium.resources.models.types import ModelStatus
from trivium.store import Write

_SEMVER: Final = re.compile(
    r"[vV]?(?P<major>\d{1,18})(?:\.(?P<minor>\d{1,18}))?(?:\.(?P<patch>\d{1,18}))?"
    r"(?:-(?P<before>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_DIGITS: Final = 18
_COMPLETE: Final = or_(models.c.status == ModelStatus.READY.value, models.c.checksum.is_not(None))
"""Of what is known all there is to know: its files were read, perhaps to be read again, or never were to be."""


class Version(Value, frozen=True):
    """A semantic version as it is written, and a text that sorts as such versions do."""

    semver: str
    key: str


class Family(Value, frozen=True):
    """What has one name in a project and a store: the versions of one model."""

    project: int
    store: UUID
    name: str


def version_of(text: str | None) -> Version | None:
    """The semantic version that a text reads as, also with a v before it and without the last numbers; else None."""
    found = None if text is None else _SEMVER.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(found[part] or 0) for part in ("major", "minor", "patch")]
    before, build = found["before"], found["build"]
    written = ".".join(map(str, numbers)) + (f"-{before}" if before else "") + (f"+{build}" if build else "")
    place = ".".join(f"{number:0{_DIGITS}}" for number in numbers)
    return Version(semver=written, key=f"{place}-{_place(before)}" if before else f"{place}~")


def _place(before: str) -> str:
    """What comes before a release: numbers before words, and what is shorter before what goes on."""
    parts = (
        f"0{len(one.lstrip('0')):03}{one.lstrip('0')}" if one.isdigit() else f"1{one}" for one in before.split(".")
    )
    return "!".join(parts)


def settle(tx: Write, family: Family) -> None:
    """Say of exactly one version that it is the latest: the highest semantic one, then the last that was made.

    One whose files are being read for the first time, or were refused, is the latest only where there is no other. The
    store must be locked, so that nobody adds or takes away versions.
    """
    mine = _of(family)
    ordered = select(models.c.id).where(*mine).order_by(models.c.version_key.desc(), models.c.id.desc()).limit(1)
    last = tx.first(ordered.where(_COMPLETE)) or tx.first(ordered)
    if last is None:
        return
    tx.run(update(models).where(*mine, models.c.is_latest, models.c.id != last.id).values(is_latest=False))
    tx.run(update(models).where(models.c.id == last.id, ~models.c.is_latest).values(is_latest=True))


def model_id_of(tx: Write, family: Family) -> str | None:
    """The id that the versions share; None where there is none yet."""
    row = tx.first(select(models.c.model_id).where(*_of(family)).limit(1))
    return None if row is None else row.model_id


def share(tx: Write, family: Family, model_id: str, *, folded: str) -> None:
    """Give all versions that id."""
    other = (*_of(family), models.c.model_id != model_id)
    tx.run(update(models).where(*other).values(model_id=model_id, model_id_folded=folded))


def _of(family: Family) -> tuple[ColumnElement[bool], ...]:
    return (
        models.c.project_id == family.project,
        models.c.store_uuid == family.store,
        models.c.name == family.name,
    )
