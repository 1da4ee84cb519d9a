"""The table of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Row, Table, bindparam

from trivium.resources.events.types import Event
from trivium.store import fields as f
from trivium.store.columns import Instant, text
from trivium.store.query import Scope
from trivium.store.schema import metadata

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("user_name", text(), nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("request", text(), nullable=False),
    Column("source", text(), nullable=False),
    Column("action", text(), nullable=False),
    Column("kind", text(), nullable=False),
    Column("target_id", BigInteger),
    Column("before", text()),
    Column("after", text()),
    Index(None, "kind", "target_id", "id"),
    Index(None, "project_id", "id"),
)


EVENTS = f.Resource(
    "events",
    events,
    (
        f.Field("id", f.integer, events.c.id),
        f.Field("at", f.time, events.c.at),
        f.Field("action", f.text, events.c.action),
        f.Field("user", f.integer, events.c.user_id),
    ),
)

OF_TARGET = Scope((events.c.kind == bindparam("kind")) & (events.c.target_id == bindparam("target")))
"""What happened to one thing."""


def event_of(row: Row[Any]) -> Event:
    """The event that a row holds."""
    return Event(
        id=row.id,
        at=row.at,
        user=row.user_id,
        user_name=row.user_name,
        project=row.project_id,
        request=row.request,
        source=row.source,
        action=row.action,
        kind=row.kind,
        target=row.target_id,
        before=row.before,
        after=row.after,
    )
