"""A reserve of unused pages in SQLite's file, so that changes can still be written when the disk is full.

Notebooks must be stoppable on a full disk, and a stop is a change. SQLite reuses free pages of its file, and its
write-ahead log, before it asks the file system for more.
"""

from __future__ import annotations

from typing import Final

from trivium.store.database import Flavour
from trivium.store.store import Store
from trivium.store.transactions import Read, Write

PAGES: Final = 1024  # free pages to have, of 4 KiB unless configured otherwise: enough for thousands of changes
LEAST: Final = 512  # with fewer than these, more are added


async def keep(store: Store) -> None:
    """Restore the reserve if it is low; does nothing on PostgreSQL. Raises what a write raises on a full disk."""
    if store.flavour is not Flavour.SQLITE or await store.search(_free_pages) >= LEAST:
        return
    await store.write(_allocate)
    await store.write(_release)


def _free_pages(tx: Read) -> int:
    return int(tx.connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())


def _allocate(tx: Write) -> None:
    """Grow the file by a filler, in a transaction of its own: the file only grows when it commits."""
    tx.connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS disk_reserve (filler BLOB)")
    size = tx.connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    free = int(tx.connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    tx.connection.exec_driver_sql("INSERT INTO disk_reserve VALUES (zeroblob(?))", ((PAGES + free) * int(size),))


def _release(tx: Write) -> None:
    """Drop the filler, which leaves its pages free."""
    tx.connection.exec_driver_sql("DROP TABLE IF EXISTS disk_reserve")
