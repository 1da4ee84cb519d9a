"""The table of marks, what may be asked of it, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Index, Row, Table

from trivium.resources import owning
from trivium.resources.marks.types import Mark, MarkType, ThingKind
from trivium.resources.owning import EVERYBODY, Listing
from trivium.store import Relation, metadata
from trivium.store import fields as f
from trivium.store.columns import Uuid16, text

marks = Table(
    "marks",
    metadata,
    *owning.owned(),
    Column("type", text(), nullable=False),
    Column("thing_uuid", Uuid16, nullable=False),
    Column("kind", text(), nullable=False),
    *owning.folded("tag", nullable=False),
    Column("pattern_uuid", Uuid16),
    *owning.times(),
    Index("uq_marks_of_thing", "thing_uuid", "type", "tag", unique=True),
    Index(None, "tag_folded", "type", "id"),
    Index(None, "pattern_uuid", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

MARKS: Final = f.Resource(
    "marks",
    marks,
    (
        f.Field("id", f.integer, marks.c.id),
        f.Field("uuid", f.uuid, marks.c.uuid),
        f.Field("type", f.enum(MarkType), marks.c.type),
        f.Field("thing_uuid", f.uuid, marks.c.thing_uuid),
        f.Field("kind", f.enum(ThingKind), marks.c.kind),
        f.Field("pattern_uuid", f.uuid, marks.c.pattern_uuid),
        f.Field("created_at", f.second, marks.c.created_at),
        f.Field("changed_at", f.second, marks.c.changed_at),
        *owning.texts(marks, ("tag",)),
    ),
    columns=owning.shown(marks),
    conditions_lead=True,
    audience=marks.c.audience,
)


def relations(uuid: Column[Any]) -> tuple[Relation, ...]:
    """The relations of a resource to its marks: `user_tags`, whose `pattern_uuid` may be asked, and `system_tags`."""
    return tuple(
        Relation(f"{type}_tags", lambda: MARKS, uuid, marks.c.thing_uuid, where=(marks.c.type == type.value,))
        for type in MarkType
    )


def mark_of(row: Row[Any]) -> Mark:
    """The mark that a row of `marks` stands for."""
    return Mark(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        type=MarkType(row.type),
        thing=row.thing_uuid,
        kind=ThingKind(row.kind),
        tag=row.tag,
        pattern=row.pattern_uuid,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


LISTING: Final = Listing(MARKS, mark_of)
