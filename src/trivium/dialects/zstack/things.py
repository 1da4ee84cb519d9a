"""What the things of the catalogue have in common on the wire: fields and tags, what they are made with, how they go.

See "ZStack RESTful API" for the parameters that every create and every delete takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from trivium.base.errors import NotFound, TriviumError
from trivium.base.query import Order
from trivium.dialects.operation import Wire
from trivium.dialects.zstack import uuids
from trivium.dialects.zstack.envelope import ErrorCode, Result, error_code
from trivium.dialects.zstack.inventories import SYSTEM_TAG, TAG_UUID, USER_TAG, Kind, Member
from trivium.dialects.zstack.refusals import NoSuchUuid
from trivium.dialects.zstack.spelling import Shape
from trivium.resources.marks import NewMarks
from trivium.resources.owning import Deletion, Outcome

MOST: Final = 1000
"""Things that one call may be about."""

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Short = Annotated[str, Meta(max_length=255)]
Text = Annotated[str, Meta(max_length=2048)]
Path = Annotated[str, Meta(min_length=1, max_length=2048)]
Words = Annotated[tuple[str, ...], Meta(max_length=100)]
Uuids = Annotated[tuple[UUID, ...], Meta(max_length=100)]

UUID_MEMBER: Final = Member(name="uuid", kind=Kind.UUID, field="uuid")
NAMING: Final = (
    Member(name="name", kind=Kind.STRING, field="name"),
    Member(name="description", kind=Kind.STRING, field="description"),
)
TIMES: Final = (
    Member(name="createDate", kind=Kind.TIMESTAMP, field="created_at"),
    Member(name="lastOpDate", kind=Kind.TIMESTAMP, field="changed_at"),
)
ORDER: Final = (Order(field="created_at"), Order(field="uuid"), Order(field="id"))
"""What answers come in when no other order is asked for, so that pages are the same each time: that of an index."""

TAGS: Final = MappingProxyType(
    {USER_TAG: "user_tags.tag", SYSTEM_TAG: "system_tags.tag", TAG_UUID: "user_tags.pattern_uuid"}
)
"""Where the tags of a thing are in the core."""


class NewThing(Wire, frozen=True, kw_only=True, rename="camel"):
    """What every create takes besides: the uuid that the thing is to have, and its tags."""

    resource_uuid: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}[1-5][0-9a-f]{3}[89ab][0-9a-f]{15}$")] | None = None
    system_tags: Words | None = None
    user_tags: Words | None = None
    tag_uuids: Uuids | None = None

    @property
    def chosen(self) -> UUID | None:
        """The uuid that the caller chose."""
        return None if self.resource_uuid is None else UUID(hex=self.resource_uuid)

    @property
    def marks(self) -> NewMarks:
        """The tags that it is to have."""
        return NewMarks(user=self.user_tags or (), system=self.system_tags or (), patterns=self.tag_uuids or ())


class Named(Wire, frozen=True, kw_only=True, rename="camel"):
    """What stands in the path: which thing is meant."""

    uuid: str

    @property
    def meant(self) -> UUID:
        """The uuid. `NoSuchUuid` for what is none, for there is no such thing either."""
        return uuid_of(self.uuid)


class DeleteMode(StrEnum):
    """What a deletion does about what is bound to the thing."""

    PERMISSIVE = "Permissive"
    ENFORCING = "Enforcing"

    @property
    def deletion(self) -> Deletion:
        """The core's word for it."""
        return Deletion.ENFORCING if self is DeleteMode.ENFORCING else Deletion.PERMISSIVE


class Deleting(Named, frozen=True, kw_only=True):
    """Which thing is to go."""

    delete_mode: DeleteMode = DeleteMode.PERMISSIVE


class DeletingMany(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which things are to go. They are texts: one that is no uuid does not keep the others."""

    uuids: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST)]
    delete_mode: DeleteMode = DeleteMode.PERMISSIVE


class ResultShape(Shape, frozen=True, kw_only=True):
    """What became of one thing of several."""

    uuid: str
    success: bool
    error: ErrorCode | None = None


def uuid_of(text: str) -> UUID:
    """The uuid that a text is. `NoSuchUuid` where it is none."""
    if not uuids.is_one(text):
        raise NoSuchUuid(uuid=text[:100])
    return UUID(hex=text)


def deleted(asked: Named, delete: Callable[[UUID], object]) -> Result:
    """The answer to a deletion: one of what is not there is done already, as in ZStack; `delete` refuses first."""
    uuid = asked.meant
    with suppress(NotFound):
        delete(uuid)
    return {}


def deletions(asked: DeletingMany, delete: Callable[[Sequence[UUID]], Iterable[Outcome]]) -> Result:
    """What became of each of several things that were to go: what is not there is gone already."""
    named = dict.fromkeys(text.lower() for text in asked.uuids)
    meant = [UUID(hex=text) for text in named if uuids.is_one(text)]
    failures = {outcome.uuid.hex: outcome.failure for outcome in (delete(meant) if meant else ())}
    return {"results": [_deletion(text, failures) for text in named]}


def result(text: str, failure: TriviumError | None) -> ResultShape:
    """What became of the thing that is named so."""
    error = None if failure is None else error_code(failure)
    return ResultShape(uuid=text[:100], success=error is None, error=error)


def hex_of(uuid: UUID | None) -> str | None:
    """The uuid as it is written; None for none."""
    return None if uuid is None else uuid.hex


def _deletion(text: str, failures: Mapping[str, TriviumError | None]) -> ResultShape:
    failure = failures[text] if text in failures else NoSuchUuid(uuid=text[:100])
    is_gone = text in failures and isinstance(failure, NotFound)
    return result(text, None if is_gone else failure)
