"""What can be wrong with a query, and the status and code that ZStack has for it.

Most of it runs as a call that failed: 503 with a code. What the server of ZStack finds while it takes the request apart
is 400. See "ZStack RESTful API" and the query chapters of its developer's guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from trivium.base.errors import Invalid, TriviumError, Unsupported
from trivium.base.values import Value


class NoOperator(Invalid):
    """A condition has no operator and is no bare uuid."""

    code = "zstack.no_operator"


class NoName(Invalid):
    """A condition has an operator and no field before it."""

    code = "zstack.no_name"


class NoSuchField(Invalid):
    """The resource has no field of that name, or none that can stand there."""

    code = "zstack.no_such_field"


class NoSuchRelation(Invalid):
    """The resource has no relation of that name."""

    code = "zstack.no_such_relation"


class TooManyRelations(Invalid):
    """A name goes across more relations than are followed."""

    code = "zstack.too_many_relations"


class NoSuchOperator(Invalid):
    """The operator of a condition is none of the language."""

    code = "zstack.no_such_operator"


class NotComparable(Invalid):
    """The field cannot be compared, sorted, grouped or summed like that."""

    code = "zstack.not_comparable"


class OnlyWithin(Invalid):
    """The field holds objects, which are compared by their own fields."""

    code = "zstack.only_within"


class NoValue(Invalid):
    """A condition lacks the value that its operator needs."""

    code = "zstack.no_value"


class BadValue(Invalid):
    """The value is none that the field can have."""

    code = "zstack.bad_value"


class TooMuch(Invalid):
    """A query has more conditions, values or levels than are taken."""

    code = "zstack.too_much"


class BadParameter(Invalid):
    """A parameter of a query is not of its type."""

    code = "zstack.bad_parameter"


class BadFilter(Invalid):
    """A filter is not written as one."""

    code = "zstack.bad_filter"


class NoSuchFilter(Invalid):
    """There is no filter of that type."""

    code = "zstack.no_such_filter"


class BadStatement(Invalid):
    """A statement of ZQL is not one; says where."""

    code = "zstack.bad_statement"


class NoSuchResource(Invalid):
    """A statement of ZQL asks for a resource that there is none of."""

    code = "zstack.no_such_resource"


class NotInZql(Unsupported):
    """A part of ZQL that is not offered here."""

    code = "zstack.not_in_zql"


class Told(Value, frozen=True):
    """How an error is answered."""

    status: HTTPStatus
    code: str


_UNREADABLE: Final = Told(status=HTTPStatus.BAD_REQUEST, code="SYS.1007")
_REFUSED: Final = Told(status=HTTPStatus.SERVICE_UNAVAILABLE, code="SYS.1007")
_UNKNOWN: Final = Told(status=HTTPStatus.SERVICE_UNAVAILABLE, code="SYS.1000")

OF_QUERIES: Final[Mapping[type[TriviumError], Told]] = MappingProxyType(
    {
        **dict.fromkeys((NoOperator, NoName, BadParameter), _UNREADABLE),
        **dict.fromkeys((NoSuchField, NoSuchRelation, NoSuchFilter), _UNKNOWN),
        **dict.fromkeys(
            (TooManyRelations, NoSuchOperator, NotComparable, OnlyWithin, NoValue, BadValue, TooMuch), _REFUSED
        ),
        **dict.fromkeys((BadFilter, BadStatement, NoSuchResource, NotInZql), _REFUSED),
    }
)
