"""Folding: what was noted of changes goes into totals and blocks, and blocks that became too large are divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from trivium.store.counters.declared import COARSE, FINE, INFO, Blocks, Counted
from trivium.store.counters.splitting import split
from trivium.store.database import Flavour
from trivium.store.schema import metadata
from trivium.store.transactions import Read, Write

LOCK: Final = 7_239_514_605_131_101
"""The number of whoever folds, for `Write.try_advisory_lock`."""


MOST: Final = 128
"""Changes that may wait on SQLite: whoever reads adds them up."""


def all_counted() -> Sequence[Counted]:
    """What is counted of the tables of all rooms."""
    return [table.info[INFO] for table in metadata.tables.values() if INFO in table.info]


def settle(tx: Write) -> None:
    """Fold where so many changes wait that it is worth it: for SQLite, within a transaction that made some."""
    for counted in all_counted():
        if waiting(tx, counted) >= MOST:
            fold(tx, counted)


def waiting(tx: Read, counted: Counted) -> int:
    """About how many changes are not folded yet; none only if there are none."""
    changes = counted.changes.name
    least, most = tx.fetch(f"SELECT (SELECT min(seq) FROM {changes}), (SELECT max(seq) FROM {changes})", ())[0]
    return 0 if least is None else most - least + 1


def fold(tx: Write, counted: Counted) -> bool:
    """Fold all changes that were committed, or made by this transaction; False where another process is at it.

    On PostgreSQL it must be the first thing that its transaction does. Nobody waits for it, nor does it for anybody.
    """
    if tx.flavour is Flavour.POSTGRESQL:
        tx.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    if not tx.try_advisory_lock(LOCK):
        return False
    changes = counted.changes.name
    for total in counted.totals:
        columns = ", ".join(total.columns)
        _run(
            tx,
            f"INSERT INTO {total.table.name} ({columns}, number) "
            f"SELECT {columns}, sum(change) FROM {changes} WHERE true GROUP BY {columns} HAVING sum(change) <> 0 "
            f"ON CONFLICT ({columns}) DO UPDATE SET number = {total.table.name}.number + excluded.number",
        )
    if counted.blocks is not None:
        _fold_blocks(tx, counted, counted.blocks)
    _run(tx, f"DELETE FROM {changes}")
    return True


def _fold_blocks(tx: Write, counted: Counted, blocks: Blocks) -> None:
    for level in (FINE, COARSE):
        placed = _placed(counted, blocks)
        key = ", ".join((*blocks.within, "first", *blocks.by))
        name = blocks.table.name
        _run(
            tx,
            f"INSERT INTO {name} (level, {key}, number) SELECT :level, {key}, sum(change) FROM ({placed}) AS placed "
            f"WHERE true GROUP BY {key} HAVING sum(change) <> 0 "
            f"ON CONFLICT (level, {key}) DO UPDATE SET number = {name}.number + excluded.number",
            level=level,
        )
        for block in _too_large(tx, counted, blocks, level=level):
            split(tx, counted, blocks, level=level, within=tuple(block[:-1]), first=block[-1])


def _too_large(tx: Write, counted: Counted, blocks: Blocks, *, level: int) -> Sequence[Row[Any]]:
    """The blocks that rows came into and that are too large now."""
    key = (*blocks.within, "first")
    listed = ", ".join(key)
    same = " AND ".join(f"block.{name} = touched.{name}" for name in key)
    keyed = ", ".join(f"touched.{name}" for name in key)
    return tx.all(
        text(
            f"SELECT {keyed} FROM (SELECT DISTINCT {listed} FROM ({_placed(counted, blocks)}) AS placed "
            f"WHERE change > 0) AS touched JOIN {blocks.table.name} AS block ON block.level = :level AND {same} "
            f"GROUP BY {keyed} HAVING sum(block.number) > :most"
        ),
        {"level": level, "most": 2 * blocks.sizes[level]},
    )


def _placed(counted: Counted, blocks: Blocks) -> str:
    """The changes, each with the block of the level that its row lies in."""
    columns = ", ".join(f"noted.{name}" for name in (*blocks.within, *blocks.by))
    same = " AND ".join(f"block.{name} = noted.{name}" for name in blocks.within)
    return (
        f"SELECT {columns}, noted.change, coalesce((SELECT max(block.first) FROM {blocks.table.name} AS block "
        f"WHERE block.level = :level AND {same} AND block.first <= noted.row_id), 0) AS first "
        f"FROM {counted.changes.name} AS noted"
    )


def _run(tx: Write, statement: str, **parameters: object) -> None:
    tx.run(text(statement), parameters)
