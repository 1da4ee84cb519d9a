"""Telling other processes on the same PostgreSQL that there is something to do, at the moment it is committed.

A notice may be lost while a connection is: it only says to look now instead of a little later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from sqlalchemy import URL, Connection

CHANNEL: Final = "trivium"
EVERYTHING: Final = ""
"""The name that is told after a gap, when nobody knows what was missed."""

NOBODY: Final = -1
AGAIN: Final = 1.0  # seconds before another try to connect
log = structlog.get_logger()


def tell(connection: Connection, names: Iterable[str], *, sender: int) -> None:
    """Tell all processes these names once the transaction is committed; `sender` are the teller's worker bits."""
    for name in sorted(names):
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, f"{sender} {name}"))


async def heed(url: URL, heard: Callable[[str, int], None]) -> None:
    """Call `heard` with each name and its sender, until cancelled; with `EVERYTHING` after each gap."""
    from psycopg import AsyncConnection, Error  # noqa: PLC0415 - an optional library

    place = url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await AsyncConnection.connect(place, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                heard(EVERYTHING, NOBODY)
                async for notice in connection.notifies():
                    sender, _, name = notice.payload.partition(" ")
                    heard(name, int(sender) if sender.isdecimal() else NOBODY)
        except (Error, OSError) as error:
            log.warning("store.not_listening", error=str(error))
        await asyncio.sleep(AGAIN)
