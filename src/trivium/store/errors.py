"""What can go wrong between us and the database."""

from __future__ import annotations

from trivium.base.errors import Invalid, Unavailable


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


class UnknownField(Invalid):
    """A query names a field that its resource does not have."""

    code = "query.unknown_field"


class UnknownRelation(UnknownField):
    """A query goes across a relation that its resource does not have."""

    code = "query.unknown_relation"


class BadOperator(Invalid):
    """A query matches or sorts a field in a way that the field does not allow."""

    code = "query.bad_operator"


class BadValue(Invalid):
    """A query compares a field with a value that the field cannot have, or asks for a page that cannot be."""

    code = "query.bad_value"
