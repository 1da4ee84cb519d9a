"""What the platform knows of the user."""

from __future__ import annotations

from typing import Final

from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.dialects.scnet.auth import account_status
from trivium.dialects.scnet.spelling import Shape
from trivium.resources import users

COUNTRY: Final = "China"
LANGUAGE: Final = "zh_CN"
ZONE: Final = "(UTC+0800) China Standard Time"
BALANCE: Final = "0.00"
"""Nothing is charged for here."""


class UserShape(Shape, frozen=True, kw_only=True):
    """A user. SCNet's fields are all text; what is not known is empty."""

    user_name: str
    full_name: str
    account_name: str
    account_status: str
    computer_center: str
    email: str
    account_balance: str = BALANCE
    country: str = COUNTRY
    language: str = LANGUAGE
    time_zone: str = ZONE
    address: str = ""
    telephone: str = ""
    institution: str = ""


def get_user(tx: Read, call: Call[Nothing, Nothing]) -> UserShape:
    """The user whose token it is."""
    user = users.get(tx, call.caller.user)
    return UserShape(
        user_name=user.name,
        full_name=user.full_name or user.name,
        account_name=user.name,
        account_status=account_status(call.caller),
        computer_center=call.core.site.name,
        email=user.email,
    )


OPERATIONS = (
    Operation(
        name="GetUser",
        method="GET",
        path="/ac/openapi/v2/user",
        handler=View(get_user),
        mark=Mark.COMPANION,
        summary="What the platform knows of the user",
    ),
)
