"""Pages far behind: where to begin, so that a few hundred rows are gone past and not all that lie before.

Blocks of ids tell how many rows there are in each stretch. Whole blocks are skipped by their numbers, coarse ones
first, with what is not folded into them yet added in its place; the rest is within one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger

from trivium.store.counters import blocks_for, changes_of, numbers_of
from trivium.store.counters.declared import COARSE, FINE
from trivium.store.counters.dividing import START
from trivium.store.fields import LARGEST
from trivium.store.query.checking import Match
from trivium.store.query.shapes import Builder, Ground, Plan
from trivium.store.transactions import Read


class SkipPlan(Struct, frozen=True, eq=False):
    """The three questions: their values are those of scope and conditions, the last one's the bounds besides."""

    coarse: Plan
    changes: Plan
    fine: Plan


class Start(NamedTuple):
    """Where the page begins: so many rows behind the id, in the order of the page."""

    id: int
    offset: int


class _Block(NamedTuple):
    """The rows with ids from `low` on, below `high`."""

    low: int
    high: int
    rows: int


def skip_plan(ground: Ground, where: Sequence[Match]) -> SkipPlan | None:
    """Compile the questions; None where no blocks tell how many rows satisfy scope and conditions."""
    counted = ground.resource.counted
    if counted is None:
        return None
    coarse, changes, fine = Builder(ground), Builder(ground), Builder(ground)
    clauses = coarse.where(where)
    blocks = blocks_for(counted, clauses)
    if blocks is None:
        return None
    table = blocks.table
    of_changes, of_fine = changes.where(where), fine.where(where)
    bounds = (table.c.first >= fine.bind(BigInteger()), table.c.first < fine.bind(BigInteger()))
    return SkipPlan(
        coarse=coarse.compiled(numbers_of(counted, blocks, clauses, table.c.level == COARSE)),
        changes=changes.compiled(changes_of(counted, of_changes)),
        fine=fine.compiled(numbers_of(counted, blocks, of_fine, table.c.level == FINE, *bounds)),
    )


def start(tx: Read, plan: SkipPlan, values: Sequence[Any], *, offset: int, descending: bool) -> Start:
    """Where the row is that has so many before it; behind all rows when there are not so many."""
    changes = tx.fetch(plan.changes.sql, plan.changes.bound([*values]))
    coarse = tx.fetch(plan.coarse.sql, plan.coarse.bound([*values]))
    block, left = _reached(_blocks(coarse, changes, low=START, high=LARGEST), offset, descending=descending)
    fine = tx.fetch(plan.fine.sql, plan.fine.bound([*values, block.low, block.high]))
    block, left = _reached(_blocks(fine, changes, low=block.low, high=block.high), left, descending=descending)
    return Start(block.high, left) if descending else Start(block.low - 1, left)


def _blocks(numbers: Iterable[Sequence[int]], changes: Sequence[Sequence[int]], *, low: int, high: int) -> list[_Block]:
    """The blocks between the bounds with the rows that they have now, the newest first, as the changes are."""
    found: list[_Block] = []
    waiting = iter([change for change in changes if low <= change[0] < high])
    change = next(waiting, None)
    firsts = [*numbers]
    if not firsts or firsts[-1][0] != low:
        firsts.append((low, 0))
    for first, number in firsts:
        rows = number
        while change is not None and change[0] >= first:
            rows += change[1]
            change = next(waiting, None)
        found.append(_Block(first, high, rows))
        high = first
    return found


def _reached(blocks: list[_Block], offset: int, *, descending: bool) -> tuple[_Block, int]:
    """The block of the row that has so many before it, the last block at most, and how many of these it has itself."""
    for block in blocks if descending else reversed(blocks):
        if offset < block.rows:
            return block, offset
        offset -= block.rows
    last = blocks[-1] if descending else blocks[0]
    return last, offset + last.rows
