"""Reading what a request carries: a body of JSON, and a query.

What comes back is the shape. Everything else is an `Invalid` that names the field as the wire spells it, nested ones as
`a.b[0]`: for malformed JSON, for text that is no UTF-8 or has characters that no database keeps, for numbers beyond 64
bits, for nesting without end.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import inspect

from trivium.base.errors import Missing
from trivium.base.json import decode
from trivium.base.values import Value
from trivium.dialects.operation import SMALL_BODY, Request, Wire
from trivium.dialects.reading import BadText, Json, Malformed, Mistyped, OutOfBounds, shape_reader
from trivium.dialects.remembering import remembered

__all__ = [
    "BadText",
    "Malformed",
    "Mistyped",
    "OutOfBounds",
    "decode_body",
    "decode_query",
    "empty",
    "parsed",
    "read_query",
]

W = TypeVar("W", bound=Wire)

BODY: Final = "body"
MOST_CONTAINERS: Final = 500_000
"""Lists and objects in a body: an empty one takes 30 times its text in memory, and the collector of garbage more time
than all else together. Polygons of a hundred pictures have as many points; what stands in texts counts, too."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # some editors and shells put it before what they send


def decode_body(request: Request, shape: type[W], *, required: bool = False) -> W:
    """The body as a shape; an empty one is `{}` unless it is required.

    Unknown fields are ignored, and of a field that comes twice the last counts. Raises `Missing` or `Invalid`.
    """
    if not request.body and not required:
        return empty(shape)
    reader = shape_reader(shape)
    raw = request.body.removeprefix(BYTE_ORDER_MARK)
    if not raw.strip():
        if required:
            raise Missing(BODY, "a body is required")
        return empty(shape)
    try:
        return reader(parsed(raw), "")
    except RecursionError as error:
        raise Malformed(BODY, "the body is nested too deeply") from error


def parsed(raw: bytes) -> Json:
    """The JSON of a body. Raises `Malformed`."""
    if len(raw) > SMALL_BODY and raw.count(b"[") + raw.count(b"{") > MOST_CONTAINERS:
        raise Malformed(BODY, f"the body has more than {MOST_CONTAINERS} lists and objects")
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(BODY, f"the body is not well-formed JSON: {error}") from error
    except RecursionError as error:
        raise Malformed(BODY, "the body is nested too deeply") from error


def decode_query(request: Request, shape: type[W]) -> W:
    """The query as a shape.

    A name that comes several times gives its first value, or all of them to a field that is a list. An empty value is
    as good as none, except for text. Raises `Missing` or `Invalid`.
    """
    return read_query(request.query, shape)


@remembered
def read_query(query: bytes, shape: type[W]) -> W:
    """The same of a raw query."""
    given = _gathered(query, _query_fields(shape)) if query else {}
    return shape_reader(shape)(given, "")


@cache
def empty(shape: type[W]) -> W:
    """The shape of an empty body. Raises what it lacks, each time."""
    return shape_reader(shape)({}, "")


class _QueryField(Value, frozen=True):
    """What a query may hold for a field."""

    many: bool  # every value counts, not the first alone
    empty: bool  # an empty value is a value


@cache
def _query_fields(shape: type[Wire]) -> dict[str, _QueryField]:
    return {name: _query_field(field.type) for name, field in shape_reader(shape).fields.items()}


def _query_field(type: inspect.Type) -> _QueryField:
    parts = type.types if isinstance(type, inspect.UnionType) else (type,)
    items = [part.item_type if isinstance(part, inspect.CollectionType) else part for part in parts]
    if any(isinstance(item, (inspect.StructType, inspect.DictType)) for item in items):
        message = f"a query cannot hold {type}"
        raise TypeError(message)
    many = any(isinstance(part, inspect.CollectionType) for part in parts)
    return _QueryField(many=many, empty=any(isinstance(item, inspect.StrType) for item in items))


def _gathered(query: bytes, fields: dict[str, _QueryField]) -> dict[str, Any]:
    """The values of the fields that the shape has."""
    found: dict[str, Any] = {}
    for pair in query.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        name = _text(raw_name, "query")
        field = fields.get(name)
        if field is None or not (raw_value or field.empty):
            continue
        value = _text(raw_value, name)
        if field.many:
            cast("list[str]", found.setdefault(name, [])).append(value)
        else:
            found.setdefault(name, value)
    return found


def _text(raw: bytes, field: str) -> str:
    try:
        if b"%" in raw or b"+" in raw:
            raw = unquote_to_bytes(raw.replace(b"+", b" "))
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(field, f"{field} is not UTF-8") from error
