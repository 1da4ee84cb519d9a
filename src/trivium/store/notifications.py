"""Notifications between the processes on one PostgreSQL database (LISTEN and NOTIFY), sent when a transaction commits.

Delivery is not guaranteed: a notification is lost while a connection is down. Receivers also poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from sqlalchemy import URL, Connection

from trivium.store.database import timeouts_for

CHANNEL: Final = "trivium"
EVERYTHING: Final = ""
"""The name that is delivered after (re)connecting, when notifications of any name may have been missed."""

NOBODY: Final = -1
"""The sender of that one."""

RECONNECT_PAUSE: Final = 1.0  # seconds
log = structlog.get_logger()


def notify(connection: Connection, names: Iterable[str], *, sender: int) -> None:
    """Notify every listening process of these names when the transaction commits. `sender`: our worker bits."""
    for name in sorted(names):
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, f"{sender} {name}"))


async def listen(url: URL, receive: Callable[[str, int], None]) -> None:
    """Call `receive` with the name and sender of each notification, until cancelled; reconnects by itself."""
    from psycopg import AsyncConnection, Error  # noqa: PLC0415 - an optional library

    conninfo, timeouts = url.set(drivername="postgresql").render_as_string(hide_password=False), timeouts_for(url)
    while True:
        try:
            async with await AsyncConnection.connect(conninfo, autocommit=True, **timeouts) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                receive(EVERYTHING, NOBODY)
                async for notification in connection.notifies():
                    sender, _, name = notification.payload.partition(" ")
                    receive(name, int(sender) if sender.isdecimal() else NOBODY)
        except (Error, OSError) as error:
            log.warning("store.not_listening", error=str(error))
        await asyncio.sleep(RECONNECT_PAUSE)
