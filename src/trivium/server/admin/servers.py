"""`trivium server list` and `trivium server forget`."""

from __future__ import annotations

from datetime import datetime

import click

from trivium.base.caller import Caller
from trivium.resources import hosts, images, nodes, notebooks
from trivium.resources.hosts import HostInUse, NoSuchHost, Standing
from trivium.resources.images import Image
from trivium.server.admin.opening import opened
from trivium.server.admin.output import Row, print_row, print_rows
from trivium.store import Read, Write

COLUMNS = ("server", "machine", "pid", "proxy", "host", "data", "acts", "lease")


def show(output: str) -> None:
    """Print every server that lives, and every host on which none acts."""
    with opened() as site:
        rows = site.store.read_now(_rows)
    print_rows(rows, COLUMNS, output=output)


def forget(name: str, output: str) -> None:
    """Forget the host of that id or machine's name, on which nothing is left; print its id."""
    with opened() as site:
        host = site.store.write_now(forget_host, name)
    print_row({"host": host}, output=output)


def forget_lost(name: str, output: str) -> None:
    """Forget the host of that id or machine's name, with all that was on it; print its id."""
    with opened() as site:
        host = site.store.write_now(forget_lost_host, site.caller, name)
    print_row({"host": host}, output=output)


def forget_host(tx: Write, name: str) -> str:
    """Forget a host that will not come back; its id.

    Raises `NoSuchHost`, and `HostInUse` while a server is on it, or notebooks or saved images that would be lost.
    """
    host = _retire(tx, name)
    if notebooks.is_any_on(tx, host):
        raise HostInUse(host=host, by="notebooks on it")
    saved = [image.path for image in _saved_on(tx, host)]
    if saved:
        raise HostInUse(host=host, by=f"images that were saved on it: {', '.join(saved)}")
    _forget_rest(tx, host)
    return host


def forget_lost_host(tx: Write, caller: Caller, name: str) -> str:
    """Forget a host whose machine is lost, with the notebooks and saved images on it; its id.

    Raises `NoSuchHost`, and `HostInUse` while a server is on it.
    """
    host = _retire(tx, name)
    for image in _saved_on(tx, host):
        images.remove(tx, caller, image)
    _forget_rest(tx, host)
    return host


def _retire(tx: Write, name: str) -> str:
    """Nothing is placed on the host any more, so that what is found on it from here on is all that there is."""
    found = [host.id for host in hosts.everywhere(tx) if name in (host.id, host.name)]
    if not found:
        raise NoSuchHost(host=name)
    if len(found) > 1:
        message = f"several hosts are called {name}; say which by its id: {', '.join(found)}"
        raise click.BadParameter(message, param_hint="HOST")
    hosts.forget(tx, found[0])
    nodes.note_away(tx, found)
    return found[0]


def _forget_rest(tx: Write, host: str) -> None:
    notebooks.forget_host(tx, host)
    images.forget_host(tx, host)


def _saved_on(tx: Read, host: str) -> list[Image]:
    return [image for image in images.everywhere(tx) if image.host == host]


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
