"""Images by name: how many versions there are of each, since when, and what is said of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Listed, Offset
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.resources import events, tags
from trivium.resources.images import grouping
from trivium.resources.images.errors import NoSuchImageGroup
from trivium.resources.images.service import must_own, remove
from trivium.resources.images.table import SCOPES, image_groups, image_of, images
from trivium.resources.images.types import ImageScope
from trivium.resources.tags import Tag
from trivium.store import Read, Write

LONGEST_READ_ME: Final = 30_000
AT_ONCE: Final = 500
"""Groups that are looked up by one statement."""


class ImageGroup(Value, frozen=True):
    """The images of one name, in one namespace of a project, that a caller may see."""

    id: int
    uuid: UUID
    name: str
    namespace: str
    read_me: str
    description: str  # the newest image's
    versions: int
    created_at: datetime  # the first of them
    changed_at: datetime  # any of them, last


class GroupQuery(Value, frozen=True):
    """Which groups; what is None is not asked."""

    name: str | None = None
    containing: str | None = None  # a substring of the name
    namespace: str | None = None
    preset: bool | None = None
    workspace: int | None = None
    page: Offset = Offset(limit=200)


def list_groups(tx: Read, caller: Caller, asked: GroupQuery) -> Listed[ImageGroup]:
    """The groups, the last changed first. What it costs grows with the images that the caller may see."""
    groups = _numbers(asked)
    values = {"project": caller.project}
    total = int(tx.value(select(func.count()).select_from(groups.subquery()), values))
    newest = groups.order_by(func.max(images.c.changed_at).desc(), func.min(images.c.name), images.c.group_id)
    rows = tx.all(newest.limit(asked.page.limit).offset(asked.page.offset), values)
    return Listed(rows=tuple(_groups(tx, rows)), total=total, next=None)


def tags_of_groups(tx: Read, groups: Iterable[int]) -> Mapping[int, Sequence[Tag]]:
    """The tags of each of these groups, by key: with one look for all of a page."""
    return tags.of_many(tx, grouping.KIND, groups)


def update_group(
    tx: Write, caller: Caller, group: UUID, *, read_me: str | None, given: Sequence[Tag] | None = None
) -> None:
    """Say something else of a group and so of its images; what is None stays as it is, tags that are given replace all.

    Raises `NoSuchImageGroup`, `Forbidden` for the operator's and for another project's, `Invalid` and `TooManyTags`.
    """
    row = _lock_own(tx, caller, group)
    describe(tx, row.id, read_me=read_me)
    if given is not None:
        tags.remove_all(tx, grouping.KIND, row.id)
        tags.put(tx, grouping.KIND, row.id, project=row.project_id, given=given)
    tx.run(update(images).where(images.c.group_id == row.id).values(changed_at=tx.now))
    events.record(tx, caller, "image_group.update", target=row.id, after={"name": row.name})


def describe(tx: Write, group: int, *, read_me: str | None, more: Sequence[Tag] = (), project: int = 0) -> None:
    """Say something of a group, which must be locked, and give it more tags. Raises `Invalid` and `TooManyTags`."""
    if read_me is not None:
        if len(read_me) > LONGEST_READ_ME or "\0" in read_me:
            message = f"a guide has at most {LONGEST_READ_ME} characters"
            raise Invalid("read_me", message)
        tx.run(update(image_groups).where(image_groups.c.id == group).values(read_me=read_me))
    if more:
        tags.put(tx, grouping.KIND, group, project=project, given=more)


def remove_group(tx: Write, caller: Caller, group: UUID) -> None:
    """Take all images of a group that the caller may see off the lists, as `remove` does each: all or none.

    Raises `NoSuchImageGroup`, and `Forbidden` for the operator's and for another project's.
    """
    row = _lock_own(tx, caller, group)
    for image in tx.all(_visible(row.id).order_by(images.c.id), {"project": caller.project}):
        remove(tx, caller, image_of(image))


def _lock_own(tx: Write, caller: Caller, group: UUID) -> Row[Any]:
    """The group's row, locked, if every image of it that the caller may see is theirs."""
    row = tx.lock(select(image_groups).where(image_groups.c.uuid == group))
    if row is None:
        raise NoSuchImageGroup
    seen = tx.all(_visible(row.id), {"project": caller.project})
    if not seen:
        raise NoSuchImageGroup
    for image in seen:
        must_own(caller, image_of(image))
    return row


def _visible(group: int) -> Select[*tuple[Any, ...]]:
    return select(images).where(images.c.group_id == group, SCOPES[ImageScope.VISIBLE].clause)


def _groups(tx: Read, numbers: Sequence[Row[Any]]) -> Iterator[ImageGroup]:
    """The groups of those numbers, looked up by their ids: a join would go through all groups that there are."""
    for start in range(0, len(numbers), AT_ONCE):
        part = numbers[start : start + AT_ONCE]
        own = select(image_groups).where(image_groups.c.id.in_([row.group_id for row in part]))
        newest = select(images.c.id, images.c.description).where(images.c.id.in_([row.newest for row in part]))
        groups = {row.id: row for row in tx.all(own)}
        descriptions = {row.id: row.description for row in tx.all(newest)}
        yield from (_group(groups[row.group_id], row, descriptions[row.newest]) for row in part)


def _group(row: Row[Any], numbers: Row[Any], description: str) -> ImageGroup:
    return ImageGroup(
        id=row.id,
        uuid=row.uuid,
        name=row.name,
        namespace=row.namespace,
        read_me=row.read_me,
        description=description,
        versions=numbers.versions,
        created_at=numbers.first_at,
        changed_at=numbers.last_at,
    )


def _numbers(asked: GroupQuery) -> Select[*tuple[Any, ...]]:
    where = [SCOPES[ImageScope.VISIBLE].clause]
    if asked.name is not None:
        where.append(images.c.name == asked.name)
    if asked.containing is not None:
        where.append(images.c.name.contains(fold(asked.containing), autoescape=True))
    if asked.namespace is not None:
        where.append(images.c.namespace == asked.namespace)
    if asked.preset is not None:
        where.append(images.c.preset == asked.preset)
    if asked.workspace is not None:
        where.append(images.c.workspace == asked.workspace)
    numbers = (
        func.count().label("versions"),
        func.min(images.c.created_at).label("first_at"),
        func.max(images.c.changed_at).label("last_at"),
        func.max(images.c.id).label("newest"),
    )
    return select(images.c.group_id, *numbers).where(*where).group_by(images.c.group_id)
