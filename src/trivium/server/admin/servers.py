"""`trivium server list`."""

from __future__ import annotations

from datetime import datetime

from trivium.resources import hosts
from trivium.resources.hosts import Standing
from trivium.server.admin.opening import opened
from trivium.server.admin.output import Row, print_rows
from trivium.store import Read

COLUMNS = ("server", "machine", "pid", "proxy", "host", "data", "acts", "lease")


def show(output: str) -> None:
    """Print every server that lives, and every host on which none acts."""
    with opened() as site:
        rows = site.store.read_now(_rows)
    print_rows(rows, COLUMNS, output=output)


def _rows(tx: Read) -> list[Row]:
    now = tx.database_now()
    return [_row(one, now) for one in hosts.standing(tx)]


def _row(one: Standing, now: datetime) -> Row:
    host = one.host
    left = None if host is None or not one.acts else round((host.lease_until - now).total_seconds(), 1)
    return {
        "server": one.server,
        "machine": one.machine or (None if host is None else host.name),
        "pid": one.pid,
        "proxy": one.proxy,
        "host": None if host is None else host.id,
        "data": None if host is None else host.data,
        "epoch": None if host is None else host.epoch,
        "acts": one.acts,
        "lease": left,  # seconds
    }
