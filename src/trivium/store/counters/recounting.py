"""Counting everything anew from the rows: what migrations do once, and what tests hold the counters against."""

from __future__ import annotations

from sqlalchemy import text

from trivium.store.counters.declared import Counted
from trivium.store.counters.splitting import START, coarse_blocks, fine_blocks
from trivium.store.transactions import Write


def statements(counted: Counted) -> tuple[str, ...]:
    """The statements that fill the counters of a table, on empty ones; nobody may write to it meanwhile."""
    found = [
        f"INSERT INTO {total.table.name} ({', '.join(total.columns)}, number) "
        f"SELECT {', '.join(total.columns)}, count(*) FROM {counted.table.name} GROUP BY {', '.join(total.columns)}"
        for total in counted.totals
    ]
    if counted.blocks is not None:
        made = (fine_blocks(counted, counted.blocks, "true"), coarse_blocks(counted.blocks, "true"))
        found += [statement.replace(":first", str(START)) for statement in made]
    return tuple(found)


def recount(tx: Write, counted: Counted) -> None:
    """Count everything anew."""
    tables = [counted.changes, *(total.table for total in counted.totals)]
    if counted.blocks is not None:
        tables.append(counted.blocks.table)
    for table in tables:
        tx.run(table.delete())
    for statement in statements(counted):
        tx.run(text(statement))
