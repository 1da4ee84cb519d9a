"""Blocks of few enough rows: made of the rows, and coarse ones of fine ones.

A fine block that became too large is counted anew from its rows, whatever their ids, so nothing depends on rows being
added in the order of their ids. The first fine block of a coarse one begins with it: bounds of fine blocks stay.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text

from trivium.store.counters.declared import COARSE, FINE, Blocks, Counted
from trivium.store.transactions import Write

START: Final = 0
"""Where the first block of all begins: no id is less."""


def split(tx: Write, counted: Counted, blocks: Blocks, *, level: int, within: tuple[Any, ...], first: int) -> None:
    """Make new blocks of the one that begins there."""
    name = blocks.table.name
    same = " AND ".join(f"{column} = :{column}" for column in blocks.within)
    where = {"level": level, "first": first, **dict(zip(blocks.within, within, strict=True))}
    here = f"{name} WHERE level = :level AND {same} AND first"
    following = tx.value(text(f"SELECT min(first) FROM {here} > :first"), where)
    tx.run(text(f"DELETE FROM {here} = :first"), where)
    id = "id" if level == FINE else "first"
    below = "" if following is None else f" AND {id} < :next"
    some = f"{same} AND {id} >= :first{below}"
    statement = fine_blocks(counted, blocks, some) if level == FINE else coarse_blocks(blocks, some)
    tx.run(text(statement), {**where, "next": following})


def fine_blocks(counted: Counted, blocks: Blocks, some: str) -> str:
    """The statement that makes fine blocks of some rows, the first of which begins at `:first`."""
    within, by = ", ".join(blocks.within), _and(blocks.by)
    numbered = (
        f"SELECT {within}, id{by}, "
        f"(row_number() OVER (PARTITION BY {within} ORDER BY id) - 1) / {blocks.sizes[FINE]} AS block "
        f"FROM {counted.table.name} WHERE {some}"
    )
    return _made(
        blocks, FINE, f"SELECT {within}, id AS lowest{by}, block, 1 AS rows_there FROM ({numbered}) AS numbered"
    )


def coarse_blocks(blocks: Blocks, some: str) -> str:
    """The statement that makes coarse blocks of some fine ones, the first of which begins at `:first`."""
    within, by = ", ".join(blocks.within), _and(blocks.by)
    before = f"CAST(sum(number) OVER (PARTITION BY {within} ORDER BY first) AS BIGINT)"
    numbered = (
        f"SELECT {within}, first AS lowest{by}, number AS rows_there, ({before} - 1) / {blocks.sizes[COARSE]} AS block "
        f"FROM {blocks.table.name} WHERE level = {FINE} AND {some}"
    )
    return _made(blocks, COARSE, numbered)


def _made(blocks: Blocks, level: int, numbered: str) -> str:
    within, by = ", ".join(blocks.within), _and(blocks.by)
    bounded = (
        f"SELECT {within}, CASE WHEN block = 0 THEN :first "
        f"ELSE min(lowest) OVER (PARTITION BY {within}, block) END AS first{by}, rows_there "
        f"FROM ({numbered}) AS numbered"
    )
    return (
        f"INSERT INTO {blocks.table.name} (level, {within}, first{by}, number) "
        f"SELECT {level}, {within}, first{by}, sum(rows_there) FROM ({bounded}) AS bounded GROUP BY {within}, first{by}"
    )


def _and(columns: tuple[str, ...]) -> str:
    return "".join(f", {column}" for column in columns)
