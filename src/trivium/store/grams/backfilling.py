"""Filling a new index from the rows that exist: for migrations.

Both databases do it in bounded memory: FTS5 writes out what it has gathered from time to time.
"""

from __future__ import annotations

from trivium.store.database import Flavour, dialect_of
from trivium.store.grams import triggers
from trivium.store.grams.declared import Grams


def backfill(declared: Grams, flavour: Flavour) -> tuple[str, ...]:
    """The statements that fill the index, which is empty; nobody may write to the table meanwhile."""
    table, column = declared.table.name, f"{declared.table.name}.{declared.column.name}"
    part = str(declared.part.compile(dialect=dialect_of(flavour), compile_kwargs={"literal_binds": True}))
    if flavour is Flavour.SQLITE:
        columns, what = "rowid, grams", triggers.tokens(column, f"({part})")
    else:
        columns, what = "id, part, folded", f"({part}), {column}"
    rows = f"FROM {table} WHERE ({part}) IS NOT NULL AND {column} IS NOT NULL ORDER BY id"
    return (f"INSERT INTO {declared.index}({columns}) SELECT id, {what} {rows}",)
