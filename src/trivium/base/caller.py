"""Who asks: what every way in (signature, token, session, command line) ends in."""

from __future__ import annotations

from enum import StrEnum

from trivium.base.errors import Forbidden
from trivium.base.values import Value


class Role(StrEnum):
    """What a user is in the whole installation."""

    MEMBER = "member"
    ADMIN = "admin"


class Caller(Value, frozen=True):
    """A user in a project, with what let them in. Services judge by it and events name it."""

    user: int
    user_name: str
    project: int
    role: Role
    session: int | None = None  # the session or token behind the request, where there is one
    key: int | None = None  # the key pair that let them in, where there is one
    region: str | None = None  # SCNet: the region that the token is for; None for all of the user's regions
    frozen: bool = False  # the account is stopped: it may look at nothing and change nothing
    request: str = ""  # the request's id, for events and logs
    source: str = ""  # which way they came, for events: a dialect's name, worker or cli

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do what only administrators may."""
        return self.role is Role.ADMIN

    def must_be_admin(self, action: str) -> None:
        """Raise `Forbidden` unless the caller is an administrator."""
        if not self.is_admin:
            message = f"only an administrator may {action}"
            raise Forbidden(message, action=action)


SYSTEM = Caller(user=0, user_name="trivium", project=0, role=Role.ADMIN, source="worker")
"""The platform itself: workers and the command line on the data directory."""
