"""The site as a value."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trivium.base.values import Value


class SiteRecord(Value, frozen=True):
    """What the database knows of the site that it belongs to."""

    id: int
    uuid: UUID
    name: str  # the region's name; empty before the first start
    description: str | None
    created_at: datetime
    changed_at: datetime
