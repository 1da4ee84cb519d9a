"""Images by name: how many versions there are of each, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Offset
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.resources.images.table import SCOPES, images
from trivium.resources.images.types import ImageScope
from trivium.store import Read


class ImageGroup(Value, frozen=True):
    """All images of one name and namespace that a caller may see."""

    name: str
    namespace: str
    versions: int
    created_at: datetime  # the first of them
    changed_at: datetime  # any of them, last


class GroupQuery(Value, frozen=True):
    """Which groups; what is None is not asked."""

    name: str | None = None
    containing: str | None = None  # a substring of the name
    namespace: str | None = None
    preset: bool | None = None
    page: Offset = Offset(limit=200)


def list_groups(tx: Read, caller: Caller, asked: GroupQuery) -> Listed[ImageGroup]:
    """The groups, the last changed first. What it costs grows with the images that the caller may see."""
    groups = _groups(asked)
    values = {"project": caller.project}
    total = int(tx.value(select(func.count()).select_from(groups.subquery()), values))
    newest = groups.order_by(func.max(images.c.changed_at).desc(), images.c.name)
    rows = tx.all(newest.limit(asked.page.limit).offset(asked.page.offset), values)
    return Listed(rows=tuple(map(_group, rows)), total=total, next=None)


def _group(row: Row[Any]) -> ImageGroup:
    return ImageGroup(
        name=row.name,
        namespace=row.namespace,
        versions=row.versions,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _groups(asked: GroupQuery) -> Select[*tuple[Any, ...]]:
    by = (images.c.name, images.c.namespace)
    where = [SCOPES[ImageScope.VISIBLE].clause]
    if asked.name is not None:
        where.append(images.c.name == asked.name)
    if asked.containing is not None:
        where.append(images.c.name.contains(fold(asked.containing), autoescape=True))
    if asked.namespace is not None:
        where.append(images.c.namespace == asked.namespace)
    if asked.preset is not None:
        where.append(images.c.preset == asked.preset)
    numbers = (
        func.count().label("versions"),
        func.min(images.c.created_at).label("created_at"),
        func.max(images.c.changed_at).label("changed_at"),
    )
    return select(*by, *numbers).where(*where).group_by(*by)
