"""Deep offsets: a page far from the first one is read from an id near it, so that few rows before it are read.

Blocks have the number of rows in each range of ids. Whole blocks are skipped, coarse ones first, then fine ones within
one coarse block; changes that are not folded into them yet are added to the block that their row is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger

from trivium.store.counters import blocks_for, changes_of, numbers_of
from trivium.store.counters.declared import COARSE, FINE
from trivium.store.counters.splitting import START
from trivium.store.fields import LARGEST
from trivium.store.query.compiling import Builder, Target
from trivium.store.query.validation import Part
from trivium.store.statements import Statement
from trivium.store.transactions import Read


class SkipStatements(Struct, frozen=True, eq=False):
    """The numbers of rows by blocks. The values are those of scope and conditions; `fine` takes two bounds besides."""

    coarse: Statement
    changes: Statement
    fine: Statement


class Start(NamedTuple):
    """Where the page begins: so many rows after the id, in the order of the page."""

    id: int
    offset: int


class Beyond(NamedTuple):
    """The rows of the whole blocks after an id, in the order of the page; those of its own block are to be counted."""

    rows: int
    low: int
    high: int


class _Block(NamedTuple):
    """The rows with ids from `low` on, below `high`."""

    low: int
    high: int
    rows: int


def skip_statements(target: Target, where: Sequence[Part]) -> SkipStatements | None:
    """Compile the statements; None where blocks do not have the number of rows that satisfy scope and conditions."""
    counted = target.resource.counted
    if counted is None:
        return None
    coarse, changes, fine = Builder(target), Builder(target), Builder(target)
    clauses = coarse.where(where)
    blocks = blocks_for(counted, clauses)
    if blocks is None:
        return None
    table = blocks.table
    of_changes, of_fine = changes.where(where), fine.where(where)
    bounds = (table.c.first >= fine.bind(BigInteger()), table.c.first < fine.bind(BigInteger()))
    return SkipStatements(
        coarse=coarse.compiled(numbers_of(counted, blocks, clauses, table.c.level == COARSE)),
        changes=changes.compiled(changes_of(counted, of_changes)),
        fine=fine.compiled(numbers_of(counted, blocks, of_fine, table.c.level == FINE, *bounds)),
    )


def start(tx: Read, statements: SkipStatements, values: Sequence[Any], *, offset: int, descending: bool) -> Start:
    """Where the row is that has so many before it; after all rows when there are not so many."""
    changes = statements.changes.fetch(tx, values)
    coarse = statements.coarse.fetch(tx, values)
    block, left = _reached(_blocks(coarse, changes, low=START, high=LARGEST), offset, descending=descending)
    fine = statements.fine.fetch(tx, [*values, block.low, block.high])
    block, left = _reached(_blocks(fine, changes, low=block.low, high=block.high), left, descending=descending)
    return Start(block.high, left) if descending else Start(block.low - 1, left)


def beyond(tx: Read, statements: SkipStatements, values: Sequence[Any], *, id: int, descending: bool) -> Beyond:
    """How many rows whole blocks have after the id, and the bounds of the block that the id itself is in."""
    changes = statements.changes.fetch(tx, values)
    coarse = statements.coarse.fetch(tx, values)
    block, far = _around(_blocks(coarse, changes, low=START, high=LARGEST), id, descending=descending)
    fine = statements.fine.fetch(tx, [*values, block.low, block.high])
    block, near = _around(_blocks(fine, changes, low=block.low, high=block.high), id, descending=descending)
    return Beyond(far + near, block.low, block.high)


def _around(blocks: list[_Block], id: int, *, descending: bool) -> tuple[_Block, int]:
    """The block that the id is in, and how many rows those after it have."""
    after = [block for block in blocks if (block.high <= id if descending else block.low > id)]
    here = next(block for block in blocks if block.low <= id < block.high)
    return here, sum(block.rows for block in after)


def _blocks(numbers: Iterable[Sequence[int]], changes: Sequence[Sequence[int]], *, low: int, high: int) -> list[_Block]:
    """The blocks between the bounds with their current numbers of rows, by descending ids, as the changes are."""
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
    """The block of the row that has `offset` rows before it, at most the last, and how many of these it has."""
    for block in blocks if descending else reversed(blocks):
        if offset < block.rows:
            return block, offset
        offset -= block.rows
    last = blocks[-1] if descending else blocks[0]
    return last, offset + last.rows
