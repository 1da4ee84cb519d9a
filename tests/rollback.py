"""Transactions that a test rolls back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trivium.store import Store, Write


class _RolledBack(Exception):
    pass


def rolled_back(store: Store, use: Callable[[Write], None]) -> None:
    """Call `use` in a transaction, then roll it back."""

    def doomed(tx: Write) -> None:
        use(tx)
        raise _RolledBack

    with pytest.raises(_RolledBack):
        store.write_now(doomed)
