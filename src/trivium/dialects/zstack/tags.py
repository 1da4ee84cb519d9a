"""User and system tags of the things of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import Meta, structs

from trivium.base.caller import Caller
from trivium.base.query import Condition, Listed, Op, Query
from trivium.dialects.operation import Mark, Read, Wire, Write
from trivium.dialects.zstack.apis import Api, Job, Listing, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.inventories import Inventory, Kind, Member, word_of
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.dialects.zstack.things import (
    ORDER,
    TIMES,
    UUID_MEMBER,
    Named,
    deleted,
    hex_of,
    uuid_of,
)
from trivium.resources import datasets, marks, models, services, stores
from trivium.resources.marks import MarkType, Thing, ThingKind

Markable: TypeAlias = Callable[[Read, Caller, UUID], Thing]

TYPES: Final = {"User": MarkType.USER.value, "System": MarkType.SYSTEM.value}
RESOURCES: Final = {
    "ModelVO": ThingKind.MODEL.value,
    "ModelCenterVO": ThingKind.STORE.value,
    "ModelServiceVO": ThingKind.SERVICE.value,
    "ModelServiceInstanceGroupVO": ThingKind.GROUP.value,
    "DatasetVO": ThingKind.DATASET.value,
    "ApplicationDevelopmentServiceVO": ThingKind.NOTEBOOK.value,
    "ZoneVO": ThingKind.SITE.value,
    "ClusterVO": ThingKind.POOL.value,
    "HostVO": ThingKind.NODE.value,
    "GpuDeviceVO": ThingKind.DEVICE.value,
}
"""The classes of ZStack's server that things are said to be of."""

_MEMBERS: Final = (
    UUID_MEMBER,
    Member(name="resourceUuid", kind=Kind.UUID, field="thing_uuid"),
    Member(name="resourceType", kind=Kind.WORD, field="kind", words=RESOURCES, sortable=False),
    Member(name="tag", kind=Kind.STRING, field="tag"),
    Member(name="type", kind=Kind.WORD, field="type", words=TYPES),
    Member(name="tagPatternUuid", kind=Kind.UUID, field="pattern_uuid"),
    *TIMES,
)
_INHERENT: Final = Member(name="inherent", kind=Kind.BOOLEAN, constant="false")  # each can be taken off
USER_TAG: Final = Inventory("UserTag", _MEMBERS, order=ORDER)
SYSTEM_TAG: Final = Inventory("SystemTag", (*_MEMBERS, _INHERENT), order=ORDER)
INVENTORIES: Final = (USER_TAG, SYSTEM_TAG)


class Taggable(StrEnum):
    """What people may put tags on."""

    MODEL = "ModelVO"
    CENTER = "ModelCenterVO"
    SERVICE = "ModelServiceVO"
    GROUP = "ModelServiceInstanceGroupVO"
    DATASET = "DatasetVO"


MARKABLE: Final[Mapping[Taggable, Markable]] = {
    Taggable.MODEL: models.markable,
    Taggable.CENTER: stores.markable,
    Taggable.SERVICE: services.markable,
    Taggable.GROUP: services.markable_group,
    Taggable.DATASET: datasets.markable,
}


class CreateTagAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """A new tag. The uuid in the body is that of the thing, and `resourceUuid` chooses none here."""

    resource_type: Taggable
    resource_uuid: str
    tag: Annotated[str, Meta(min_length=1, max_length=512)]


class TagShape(Shape, frozen=True, kw_only=True):
    """A tag."""

    uuid: str
    resource_uuid: str
    resource_type: str
    tag: str
    type: str
    inherent: bool | None = None  # of system tags alone
    tag_pattern_uuid: str | None = None
    create_date: str
    last_op_date: str


class Tags:
    """The calls that show tags; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def create(self, tx: Write, caller: Caller, asked: CreateTagAsked) -> Result:
        """The tag; the one that says so already, where there is one."""
        thing = MARKABLE[asked.resource_type](tx, caller, uuid_of(asked.resource_uuid))
        return {"inventory": self._shape(marks.create(tx, caller, thing, asked.tag))}

    def listing(self, inventory: Inventory, type: MarkType) -> Listing:
        """How queries for the tags of a type are answered."""

        def rows(tx: Read, caller: Caller, query: Query) -> Listed[marks.Mark]:
            return marks.LISTING.page(tx, caller, _of_type(query, type))

        return Listing(
            inventory=inventory,
            rows=rows,
            shapes=self._page,
            summed=lambda tx, caller, query, of: marks.LISTING.summed(tx, caller, _of_type(query, type), of=of),
        )

    def _page(self, _tx: Read, _caller: Caller, found: Sequence[marks.Mark]) -> Sequence[TagShape]:
        return [self._shape(mark) for mark in found]

    def _shape(self, mark: marks.Mark) -> TagShape:
        return TagShape(
            uuid=mark.uuid.hex,
            resource_uuid=mark.thing.hex,
            resource_type=word_of(RESOURCES, mark.kind.value),
            tag=mark.tag,
            type=word_of(TYPES, mark.type.value),
            inherent=False if mark.type is MarkType.SYSTEM else None,
            tag_pattern_uuid=hex_of(mark.pattern),
            create_date=time_text(mark.created_at, self._utc_offset),
            last_op_date=time_text(mark.changed_at, self._utc_offset),
        )


def delete(tx: Write, caller: Caller, asked: Named) -> Result:
    """The tag is gone."""
    return deleted(asked, lambda uuid: marks.delete(tx, caller, uuid))


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls."""
    calls = Tags(utc_offset)
    return (
        Api(
            name="QueryUserTag",
            places=queried_at("/user-tags"),
            handler=calls.listing(USER_TAG, MarkType.USER),
            mark=Mark.COMPANION,
            summary="Tags that people put on things that the caller sees",
        ),
        Api(
            name="QuerySystemTag",
            places=queried_at("/system-tags"),
            handler=calls.listing(SYSTEM_TAG, MarkType.SYSTEM),
            mark=Mark.COMPANION,
            summary="Tags that programs put on things that the caller sees",
        ),
        Api(
            name="CreateUserTag",
            places=(at("POST", "/user-tags"),),
            handler=Job(do=calls.create),
            mark=Mark.COMPANION,
            summary="Put a tag on a thing",
            shape=CreateTagAsked,
        ),
        Api(
            name="DeleteTag",
            places=(at("DELETE", "/tags/{uuid}"),),
            handler=Job(do=delete),
            mark=Mark.COMPANION,
            summary="Take a tag off",
            shape=Named,
        ),
    )


def _of_type(query: Query, type: MarkType) -> Query:
    mine = Condition(field="type", op=Op.EQ, value=type.value)
    return structs.replace(query, where=(mine, *query.where))
