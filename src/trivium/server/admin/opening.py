"""Opening a site for a command: settings, key file, database, and the first things where they are not there yet."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import click

from trivium.base.caller import Caller
from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.base.values import Value
from trivium.resources import users
from trivium.server.admin.bootstrap import PASSWORD_VARIABLE, ensure_site
from trivium.server.admin.folders import prepare
from trivium.server.admin.options import flags_of
from trivium.server.admin.store_roots import ensure_stores
from trivium.server.settings import Settings, load
from trivium.store import Store


class Opened(Value, frozen=True):
    """A site that a command works on."""

    settings: Settings
    store: Store
    keyring: Keyring
    caller: Caller  # the operator, as the oldest administrator


@contextmanager
def opened(environment: Mapping[str, str] = os.environ) -> Generator[Opened]:
    """The site that the command line names, made where there is none; closed in the end."""
    settings = load(flags_of(), environment).settings
    prepare(settings)
    store = Store.open(settings.database_url, SystemClock(), "cli")
    try:
        keyring = store.read_now(users.find_keyring, settings.key_file)
        first = ensure_site(store, keyring, settings, password=environment.get(PASSWORD_VARIABLE))
        if first.made:  # a mistyped place would else be taken for an empty site
            click.echo(f"trivium: there was no site in {settings.data}; a new one was made", err=True)
        ensure_stores(store, settings, first.admin)
        yield Opened(settings=settings, store=store, keyring=keyring, caller=first.admin)
    finally:
        store.close()
