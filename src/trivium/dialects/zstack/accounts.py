"""Accounts: the users of the installation, each in their own default project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from trivium.base.caller import Caller, Role
from trivium.dialects.operation import Mark, Read
from trivium.dialects.zstack.apis import Api, Listing, queried_at
from trivium.dialects.zstack.inventories import Inventory, Kind, Member, absent
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import users
from trivium.resources.users import User

TYPES: Final = {"SystemAdmin": Role.ADMIN.value, "Normal": Role.MEMBER.value}

ACCOUNT: Final = Inventory(
    "Account",
    (
        Member(name="uuid", kind=Kind.UUID, field="uuid"),
        Member(name="name", kind=Kind.STRING, field="name"),
        Member(name="type", kind=Kind.WORD, field="role", words=TYPES, sortable=False),
        *absent(Kind.STRING, "description"),
        Member(name="createDate", kind=Kind.TIMESTAMP, field="created_at"),
        Member(name="lastOpDate", kind=Kind.TIMESTAMP, field="changed_at"),
    ),
)
"""An account, as queries see it."""


class AccountShape(Shape, frozen=True, kw_only=True):
    """An account."""

    uuid: str
    name: str
    type: str
    create_date: str
    last_op_date: str


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls; times are told by the clock that is so far ahead of UTC."""

    def shapes(_tx: Read, _caller: Caller, found: Sequence[User]) -> Sequence[AccountShape]:
        return [_shape(user, utc_offset) for user in found]

    return (
        Api(
            name="QueryAccount",
            places=queried_at("/accounts"),
            handler=Listing(inventory=ACCOUNT, rows=users.list_accounts, shapes=shapes),
            mark=Mark.BEYOND,
            summary="Accounts: all for an administrator, else the caller's own",
        ),
    )


def _shape(user: User, utc_offset: timedelta) -> AccountShape:
    return AccountShape(
        uuid=user.uuid.hex,
        name=user.name,
        type=next(word for word, role in TYPES.items() if role == user.role.value),
        create_date=time_text(user.created_at, utc_offset),
        last_op_date=time_text(user.changed_at, utc_offset),
    )
