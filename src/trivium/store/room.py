"""Room for changes on a disk that is full: pages that SQLite's file has and does not use.

Whoever fills the disk must not keep notebooks from being stopped, and that is a change. SQLite writes over free pages
of its own file, and over its log, before it asks the file system for more; so it is kept with some of both.
"""

from __future__ import annotations

from typing import Final

from trivium.store.database import Flavour
from trivium.store.store import Store
from trivium.store.transactions import Read, Write

PAGES: Final = 1024  # free pages to have, 4 KiB each as SQLite makes them: thousands of changes
LEAST: Final = 512  # with fewer than these, more are made


async def keep(store: Store) -> None:
    """See to it that there is room; nothing happens on PostgreSQL. Raises what a write raises on a full disk."""
    if store.flavour is not Flavour.SQLITE or await store.search(_free_pages) >= LEAST:
        return
    await store.write(_take)
    await store.write(_give_back)


def _free_pages(tx: Read) -> int:
    return int(tx.connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())


def _take(tx: Write) -> None:
    """Take pages that the file does not have yet: a write of its own, for only what is committed gets its place."""
    tx.connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS room (filler BLOB)")
    size = tx.connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    free = int(tx.connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    tx.connection.exec_driver_sql("INSERT INTO room VALUES (zeroblob(?))", ((PAGES + free) * int(size),))


def _give_back(tx: Write) -> None:
    tx.connection.exec_driver_sql("DROP TABLE IF EXISTS room")
