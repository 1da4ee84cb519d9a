"""What domains and projects are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trivium.base.values import Value


class Domain(Value, frozen=True):
    """What users and projects belong to: a customer, in ModelArts' words an account."""

    id: int
    uuid: UUID
    name: str
    enabled: bool
    created_at: datetime


class Project(Value, frozen=True):
    """A tenant. Names are unique among the projects of one owner in one domain."""

    id: int
    uuid: UUID  # its 32 hex are ModelArts' project_id
    domain: int
    owner: int  # the user that it was made for
    name: str
    enabled: bool
    created_at: datetime
