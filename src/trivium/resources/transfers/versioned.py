"""Versions by what was asked for in them, and datasets by the versions that they have."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import JSON, ColumnElement, Float, Text, cast, func, literal, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.base.values import Value
from trivium.resources import datasets
from trivium.resources.datasets import Dataset
from trivium.resources.samples import Range
from trivium.resources.transfers.table import versions
from trivium.store import Flavour, Read


class SoughtSetting(Value, frozen=True):
    """What a caller asked for in a version by a name: one of some texts, whatever their case, or a number."""

    name: str
    default: str  # what it is where nothing was told
    texts: tuple[str, ...] | None = None
    range: Range | None = None


class SoughtVersions(Value, frozen=True):
    """Whether a dataset has a version with all of these settings, or has none such."""

    settings: tuple[SoughtSetting, ...] = ()
    there: bool = True


def list_datasets(tx: Read, caller: Caller, asked: Query, *, having: Sequence[SoughtVersions] = ()) -> Listed[Dataset]:
    """The datasets of the caller's project, as asked, that have each of these versions. Raises what `list_own` does."""
    return datasets.list_own(tx, caller, asked, narrowed=[_having(one, tx.flavour) for one in having])


def _having(wanted: SoughtVersions, flavour: Flavour) -> ColumnElement[bool]:
    """A look for one version of each dataset: no database takes it for a join with all versions that there are."""
    mine = [versions.c.dataset_id == datasets.datasets.c.id, *(has(one, flavour) for one in wanted.settings)]
    found = select(versions.c.id).where(*mine).limit(1).scalar_subquery()
    return found.is_not(None) if wanted.there else found.is_(None)


def has(wanted: SoughtSetting, flavour: Flavour) -> ColumnElement[bool]:
    """Whether a version has the setting."""
    told = func.coalesce(func.nullif(_told(wanted.name, flavour), ""), wanted.default)
    if wanted.range is not None:
        return cast(told, Float).between(wanted.range.least, wanted.range.most)
    return func.lower(told).in_([text.lower() for text in wanted.texts or ()])


def _told(name: str, flavour: Flavour) -> ColumnElement[str | None]:
    """What the settings have by a name, as text; null where they have nothing, or null."""
    if flavour is Flavour.POSTGRESQL:
        return cast(versions.c.settings, JSON).op("->>")(literal(name, Text()))
    return versions.c.settings.op("->>")(f'$."{name}"')
