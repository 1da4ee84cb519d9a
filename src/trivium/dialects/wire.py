"""Reading bodies and queries into a dialect's shapes; what does not fit is told with the name of the field."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec

from trivium.base.errors import Invalid, Missing
from trivium.dialects.operation import Nothing, Request, Wire

T = TypeVar("T", bound=Wire)

AT: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
LACKING: Final = re.compile(r"missing required field `(?P<field>[^`]+)`")
BODY: Final = "body"


def decode_body(request: Request, shape: type[T]) -> T:
    """The body in the operation's shape; an empty one is an empty object. `Missing` or `Invalid` name the field."""
    if shape is Nothing:
        return shape()
    try:
        return _decoder(shape).decode(request.body.strip() or b"{}")
    except msgspec.ValidationError as error:
        raise _told(error, BODY) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(BODY, "the body is not JSON") from error


def decode_query(request: Request, shape: type[T]) -> T:
    """The query string in the operation's shape; of a parameter that is no list and is repeated the first counts."""
    if shape is Nothing or not request.query:
        return _from_query(shape, {})
    try:
        given = parse_qs(request.query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise Invalid("query", "the query is not well-formed") from error
    return _from_query(shape, given)


def _from_query(shape: type[T], given: dict[str, list[str]]) -> T:
    lists = _lists(shape)
    plain: dict[str, Any] = {name: values if name in lists else values[0] for name, values in given.items()}
    try:
        return msgspec.convert(plain, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _told(error, "query") from error


def _told(error: msgspec.ValidationError, whole: str) -> Invalid:
    said = str(error)
    at = AT.search(said)
    path = at["path"] if at else ""
    lacking = LACKING.search(said)
    if lacking:
        return Missing(f"{path}.{lacking['field']}" if path else lacking["field"])
    return Invalid(path or whole, said)


@cache
def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(shape)


@cache
def _lists(shape: type[Wire]) -> frozenset[str]:
    """The parameters that may come several times."""
    kinds = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)
    told = msgspec.inspect.type_info(shape)
    assert isinstance(told, msgspec.inspect.StructType)
    return frozenset(field.encode_name for field in told.fields if isinstance(field.type, kinds))
