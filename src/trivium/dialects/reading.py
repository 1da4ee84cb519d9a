"""From plain JSON values, or the texts of a query, to shapes: lenient in how a scalar is written, exact in all else.

A number may be written as text and, where text is wanted, text as a number; a truth value as "true" or "false". A type
is looked through once, and what results reads any number of values. Every reader raises `Invalid`, naming the field.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

import msgspec
from msgspec import inspect

from trivium.base.errors import Invalid, Missing, Unavailable

Json: TypeAlias = Any  # what a parser of JSON gives, or what a shape holds
Read: TypeAlias = Callable[[Json, str], Json]

LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1
SHOWN: Final = 100  # characters of a value that an error shows
INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,4})?")
TEXTUAL: Final[tuple[tuple[type[inspect.Type], type, str], ...]] = (
    (inspect.DateTimeType, datetime, "date-time"),
    (inspect.DateType, date, "date"),
    (inspect.UUIDType, UUID, "uuid"),
)


class Malformed(Invalid):
    """The whole is no JSON object, or is no text."""

    code = "invalid.malformed"


class Mistyped(Invalid):
    """A value is of another type than its field's; `expected` is that type's name in JSON."""

    code = "invalid.type"

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, f"{field} must be of type {expected}", expected=expected)


class OutOfBounds(Invalid):
    """A value is of the right type and none that the field may have; `bounds` says which it may have.

    Of a text that is too long `longest` and `length` say how much, of a word that is none of some `known` and `found`.
    """

    code = "invalid.bounds"

    def __init__(self, field: str, bounds: str, **more: object) -> None:
        super().__init__(field, f"{field} must be {bounds}", bounds=bounds, **more)


class BadText(Invalid):
    """A text has a NUL or half a surrogate pair in it, which no database keeps."""

    code = "invalid.text"

    def __init__(self, field: str) -> None:
        super().__init__(field, f"{field} has characters in it that cannot be kept")


class Crowded(Unavailable):
    """A large body was not read to its end, because others take all the room that there is for such."""

    code = "body.crowded"


class ShapeReader:
    """Reads a shape from a JSON object. Unknown fields are ignored, as the shapes of the wire have it.

    Null is as good as absent, where null is no value of the field.
    """

    def __init__(self, shape: type[Any]) -> None:
        info = inspect.type_info(shape)
        if not isinstance(info, inspect.StructType):
            message = f"{shape} is no struct"
            raise TypeError(message)
        self.fields = {field.encode_name: field for field in info.fields}
        self._make: Callable[..., Any] = info.cls
        self._readers = [
            (field.encode_name, field.name, field.required, takes_null(field.type), reader_of(field.type))
            for field in info.fields
        ]

    def __call__(self, value: Json, field: str) -> Json:
        """The shape of a value of a field, or of the whole, whose name is empty."""
        if not isinstance(value, dict):
            raise Mistyped(field or "body", "object")
        given = cast("dict[str, Any]", value)
        found: dict[str, Any] = {}
        for wire_name, name, required, nullable, read in self._readers:
            part = given.get(wire_name)
            if part is None and not (nullable and wire_name in given):
                if required:
                    path = _within(field, wire_name)
                    raise Missing(path, f"{path} is required")
                continue
            found[name] = None if part is None else read(part, _within(field, wire_name))
        return self._make(**found)


@cache
def shape_reader(shape: type[Any]) -> ShapeReader:
    """What reads a shape. Raises TypeError for a shape with types that nothing on the wire has."""
    return ShapeReader(shape)


def takes_null(type: inspect.Type) -> bool:
    """Whether null is a value of the type."""
    if isinstance(type, inspect.UnionType):
        return type.includes_none
    return isinstance(type, (inspect.NoneType, inspect.AnyType))


def reader_of(type: inspect.Type) -> Read:
    """What reads values of a type, null apart. Raises TypeError for a type that nothing on the wire has."""
    match type:
        case inspect.StructType(cls=cls):
            return shape_reader(cls)
        case inspect.UnionType():
            return _union_reader(type)
        case inspect.AnyType():
            return read_any
        case inspect.DictType():
            return _dict_reader(type)
        case inspect.CollectionType():
            return _list_reader(type)
        case inspect.Metadata(type=inner):
            return reader_of(inner)
        case _:
            return _scalar_reader(type)


def read_text(value: Json, field: str) -> str:
    """Text that a database can keep; a number is written out."""
    if isinstance(value, str):
        return _kept(value, field)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise Mistyped(field, "string")


def read_integer(value: Json, field: str) -> int:
    """A whole number of 63 bits, with its sign."""
    if isinstance(value, str):
        value = value.strip()  # of more than `int` strips
        is_whole = INTEGER.fullmatch(value) is not None
    elif isinstance(value, float):
        is_whole = value.is_integer()
    else:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole:
        raise Mistyped(field, "integer")
    found = int(value)
    if not LEAST <= found <= MOST:
        raise OutOfBounds(field, "an integer of 64 bits")
    return found


def read_number(value: Json, field: str) -> float:
    """A finite number."""
    found: float | None = None
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        found = float(value.strip())
    elif isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        found = float(value) if abs(value) < 1e300 else math.inf  # noqa: PLR2004 - longer integers fit no float
    if found is None:
        raise Mistyped(field, "number")
    if not math.isfinite(found):
        raise OutOfBounds(field, "a finite number")
    return found


def read_flag(value: Json, field: str) -> bool:
    """A truth value."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Mistyped(field, "boolean")


def read_any(value: Json, field: str) -> Json:
    """Any JSON value whose texts a database can keep."""
    match value:
        case str():
            return _kept(value, field)
        case list():
            return [read_any(item, f"{field}[{index}]") for index, item in enumerate(cast("list[Any]", value))]
        case dict():
            entries = cast("dict[str, Any]", value).items()
            return {_kept(key, field): read_any(item, _within(field, key)) for key, item in entries}
        case _:
            return value


def _scalar_reader(type: inspect.Type) -> Read:
    match type:
        case inspect.StrType():
            return _text_reader(type)
        case inspect.IntType() | inspect.FloatType():
            return _number_reader(type)
        case inspect.BoolType():
            return read_flag
        case inspect.LiteralType(values=values):
            return _choice_reader({value: value for value in values})
        case inspect.EnumType(cls=cls):
            return _choice_reader({member.value: member for member in cls})
        case inspect.NoneType():
            return _read_null
        case _:
            return _converting_reader(type)


def _read_null(_value: Json, field: str) -> None:
    raise Mistyped(field, "null")


def _text_reader(type: inspect.StrType) -> Read:
    least, most = type.min_length or 0, type.max_length
    pattern = re.compile(type.pattern) if type.pattern else None

    def read(value: Json, field: str) -> str:
        text = read_text(value, field)
        if not text and least:
            raise Missing(field, f"{field} is required", empty="string")
        if len(text) < least:
            raise OutOfBounds(field, f"at least {least} characters long")
        if most is not None and len(text) > most:
            raise OutOfBounds(field, f"at most {most} characters long", longest=most, length=len(text))
        if pattern is not None and not pattern.search(text):
            raise OutOfBounds(field, f"of the form {pattern.pattern}")
        return text

    return read if least or most is not None or pattern else read_text


def _number_reader(type: inspect.IntType | inspect.FloatType) -> Read:
    plain = read_integer if isinstance(type, inspect.IntType) else read_number
    limits: list[tuple[str, float, Callable[[Any, Any], bool]]] = [
        (sign, limit, holds)
        for sign, limit, holds in (
            ("≥", type.ge, operator.ge),
            (">", type.gt, operator.gt),
            ("≤", type.le, operator.le),
            ("<", type.lt, operator.lt),
        )
        if limit is not None
    ]

    def read(value: Json, field: str) -> Json:
        number = plain(value, field)
        for sign, limit, holds in limits:
            if not holds(number, limit):
                raise OutOfBounds(field, f"{sign} {limit}")
        return number

    return read if limits else plain


def _choice_reader(choices: Mapping[Any, Any]) -> Read:
    """Reads one of some values, each written as itself or, if it is a number, as text."""
    texts = {str(written): meant for written, meant in choices.items()}
    bounds = "one of " + ", ".join(texts)

    def read(value: Json, field: str) -> Json:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise Mistyped(field, "string")
        if str(value) not in texts:
            raise OutOfBounds(field, bounds, known=tuple(texts), found=str(value)[:SHOWN])
        return texts[str(value)]

    return read


def _union_reader(type: inspect.UnionType) -> Read:
    """Reads a value as the alternative that is written so, else as the first that can be read from it."""
    alternatives = [(_written(part), reader_of(part)) for part in type.types if not isinstance(part, inspect.NoneType)]
    if len(alternatives) == 1:
        return alternatives[0][1]

    def read(value: Json, field: str) -> Json:
        kind = value.__class__
        for written, reader in alternatives:
            if kind in written:
                return reader(value, field)
        refusal: Invalid | None = None
        for _, reader in alternatives:
            try:
                return reader(value, field)
            except Invalid as error:
                refusal = refusal or error
        raise refusal or Mistyped(field, "null")

    return read


def _written(type: inspect.Type) -> tuple[type, ...]:
    """The Python types that JSON's parser gives for a type's values."""
    match type:
        case inspect.StrType() | inspect.EnumType() | inspect.LiteralType():
            return (str,)
        case inspect.IntType():
            return (int,)
        case inspect.FloatType():
            return (float, int)
        case inspect.BoolType():
            return (bool,)
        case inspect.StructType() | inspect.DictType():
            return (dict,)
        case inspect.CollectionType():
            return (list,)
        case _:
            return ()


def _list_reader(type: inspect.CollectionType) -> Read:
    make = _maker(type)
    read_item = reader_of(type.item_type)
    nullable = takes_null(type.item_type)
    least, most = type.min_length or 0, type.max_length

    def read(value: Json, field: str) -> Json:
        if not isinstance(value, list):
            raise Mistyped(field, "array")
        items = cast("list[Any]", value)
        if not items and least:
            raise Missing(field, f"{field} is required", empty="list")
        if len(items) < least or (most is not None and len(items) > most):
            raise OutOfBounds(field, f"of {least} to {'any number of' if most is None else most} items")
        return make(
            [
                None if item is None and nullable else read_item(item, f"{field}[{index}]")
                for index, item in enumerate(items)
            ]
        )

    return read


def _maker(type: inspect.CollectionType) -> Callable[[list[Json]], Json]:
    """What makes the collection of a list."""
    match type:
        case inspect.VarTupleType():
            return tuple
        case inspect.SetType():
            return set
        case inspect.FrozenSetType():
            return frozenset
        case _:
            return list


def _dict_reader(type: inspect.DictType) -> Read:
    read_key, read_item = reader_of(type.key_type), reader_of(type.value_type)
    nullable = takes_null(type.value_type)

    def read(value: Json, field: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Mistyped(field, "object")
        return {
            read_key(key, field): None if item is None and nullable else read_item(item, _within(field, key))
            for key, item in cast("dict[str, Any]", value).items()
        }

    return read


def _converting_reader(type: inspect.Type) -> Read:
    """Reads what JSON writes as text."""
    found = next(((kind, name) for form, kind, name in TEXTUAL if isinstance(type, form)), None)
    if found is None:
        message = f"nothing on the wire is of {type}"
        raise TypeError(message)
    kind, name = found

    def read(value: Json, field: str) -> Json:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise Mistyped(field, name) from error

    return read


def _kept(text: str, field: str) -> str:
    """The text, if a database can keep it."""
    if "\0" in text:
        raise BadText(field)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadText(field) from error
    return text


def _within(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
