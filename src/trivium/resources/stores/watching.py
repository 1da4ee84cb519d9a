"""What is still to be seen or made: stores that nobody has looked at, and roots without a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select

from trivium.resources.stores.table import stores
from trivium.resources.stores.types import StoreState
from trivium.store import Read


def is_any_new(tx: Read) -> bool:
    """Whether there is a store that nobody has looked at yet."""
    return tx.first(select(stores.c.id).where(stores.c.state == StoreState.CONNECTING.value).limit(1)) is not None


def without_store(tx: Read, roots: Collection[str]) -> Sequence[str]:
    """Those of the directories that no store has, in their order."""
    have = {row.path for row in tx.all(select(stores.c.path).where(stores.c.path.in_(sorted(roots))))}
    return [root for root in roots if root not in have]
