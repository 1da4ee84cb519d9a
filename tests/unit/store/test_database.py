"""Which databases are taken."""

from __future__ import annotations

import pytest

from trivium.store import StoreUnavailable
from trivium.store.database import check_postgresql


def test_postgresql_15_in_utf8_is_taken() -> None:
    check_postgresql(150_000, "UTF8")
    check_postgresql(180_001, "UTF8")


@pytest.mark.parametrize(
    ("version", "encoding", "said"),
    [(140_012, "UTF8", "this is 14.12"), (150_018, "SQL_ASCII", "SQL_ASCII"), (150_018, "", "unknown")],
)
def test_what_is_too_old_or_cannot_hold_every_script_is_refused(version: int, encoding: str, said: str) -> None:
    with pytest.raises(StoreUnavailable, match=said):
        check_postgresql(version, encoding)
