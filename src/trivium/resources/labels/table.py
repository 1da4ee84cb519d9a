"""The table of labels. Ids of all things are different, so it need not say of what kind a thing is."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from trivium.store import metadata
from trivium.store.columns import text

labels = Table(
    "labels",
    metadata,
    Column("target_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", text(), primary_key=True),
    Column("value", text(), nullable=False),
)
