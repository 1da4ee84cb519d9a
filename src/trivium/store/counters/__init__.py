"""Counters: how many rows there are, kept by the transaction that changes them, whatever code or process writes.

A resource declares once what is counted. Triggers then append a row to a table of *changes* for each row that comes,
goes or moves between groups: nothing but new rows is written, so nobody waits for anybody. From time to time the
changes are *folded* into totals of each group, and into *blocks*: how many rows lie in each stretch of ids, by which
a page far behind is found without going past what lies before it. Who reads adds what is not folded yet, so that the
answer is exact, and of the same moment as everything else in the transaction.
"""

from trivium.store.counters.declared import Blocks, Counted, Total
from trivium.store.counters.folding import all_counted, fold, settle, waiting
from trivium.store.counters.lookup import blocks_for, changes_of, numbers_by, numbers_of, total_for
from trivium.store.counters.recounting import recount

__all__ = [
    "Blocks",
    "Counted",
    "Total",
    "all_counted",
    "blocks_for",
    "changes_of",
    "fold",
    "numbers_by",
    "numbers_of",
    "recount",
    "settle",
    "total_for",
    "waiting",
]
