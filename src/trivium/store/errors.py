"""What can go wrong between us and the database."""

from __future__ import annotations

from trivium.base.errors import Unavailable


class StoreUnavailable(Unavailable):
    """The database does not answer or refuses us."""

    code = "store.unavailable"


class Busy(Unavailable):
    """Others kept the database to themselves for longer than we wait."""

    code = "store.busy"


class TooSlow(Unavailable):
    """An unbounded look-up took longer than its time limit; it has no answer rather than a wrong one."""

    code = "store.too_slow"


class NewerDatabase(Unavailable):
    """The database was made by a newer program than this one."""

    code = "store.newer_database"
