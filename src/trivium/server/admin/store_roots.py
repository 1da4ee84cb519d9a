"""A store for each directory that models and datasets may lie in, which the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from trivium.base.caller import Caller
from trivium.resources import stores
from trivium.server.settings import Settings
from trivium.store import Store, Write, migrations


def ensure_stores(store: Store, settings: Settings, admin: Caller) -> None:
    """A public store of each such directory where it has none: new ones, and the first time all.

    It can be repeated and run by several processes at once.
    """
    roots = _roots(settings)
    if store.read_now(stores.without_store, roots):
        store.write_now(_make, roots, admin)


async def ensure_stores_beside(store: Store, settings: Settings, admin: Caller) -> None:
    """The same, beside what the event loop does."""
    roots = _roots(settings)
    if await store.search(stores.without_store, roots):
        await store.write(_make, roots, admin)


def _roots(settings: Settings) -> Sequence[str]:
    return [str(root) for root in settings.store_roots]


def _make(tx: Write, roots: Sequence[str], admin: Caller) -> None:
    migrations.lock(tx.connection)
    for root in roots:
        stores.ensure(tx, admin, root)
