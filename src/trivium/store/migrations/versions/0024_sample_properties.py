"""The metadata of samples are counted by their names and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NAMES = 64
VALUES = 100
LONGEST = 256
AT_ONCE = 1000


def upgrade() -> None:
    """Make the table, and count what there is."""
    table = op.create_table(
        "sample_properties",
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("many", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "value", "name", name="pk_sample_properties"),
        sqlite_with_rowid=False,
    )
    for dataset, found in groupby(_metadata(), key=lambda row: row[0]):
        rows = [{"dataset_id": dataset, **row} for row in _counted(said for _, said in found)]
        if rows:
            op.bulk_insert(table, rows)


def _metadata() -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What samples have, dataset by dataset, some at a time."""
    page = sa.text(
        "SELECT dataset_id, id, metadata FROM samples WHERE (dataset_id, id) > (:dataset, :id)"
        f" ORDER BY dataset_id, id LIMIT {AT_ONCE}"
    )
    place = {"dataset": 0, "id": 0}
    while rows := op.get_bind().execute(page, place).all():
        for row in rows:
            yield row.dataset_id, msgspec.json.decode(row.metadata)
        place = {"dataset": rows[-1].dataset_id, "id": rows[-1].id}


def _counted(found: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a dataset."""
    wholes: Counter[str] = Counter()
    values: dict[str, Counter[str] | None] = {}
    for metadata in found:
        for name, value in metadata.items():
            is_kept = bool(name) and name.isprintable() and len(name.encode()) <= LONGEST
            if not is_kept or (name not in wholes and len(wholes) == NAMES):
                continue
            wholes[name] += 1
            own = values.setdefault(name, Counter())
            if own is None or isinstance(value, (list, dict)):
                continue
            said = msgspec.json.encode(value).decode()
            own[said] += 1
            if len(own) > VALUES or len(said.encode()) > LONGEST:
                values[name] = None
    for name, number in wholes.items():
        own = values[name]
        yield {"name": name, "value": "", "samples": number, "number": len(own or ()), "many": own is None}
        for value, times in (own or {}).items():
            yield {"name": name, "value": value, "samples": times, "number": 0, "many": False}
