"""What a request of REST gives an API: in its body, in its query, and in its path.

A create has it under `param` or `params`, an update under the name of its action, and either may have it bare; a delete
has it in its query or in its body. System and user tags may stand beside it, or within, or both. See "ZStack
RESTful API".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote_to_bytes

from msgspec import inspect

from trivium.base.errors import Invalid, Missing
from trivium.dialects.operation import Request, Wire
from trivium.dialects.reading import Malformed, Mistyped, OutOfBounds, reader_of, shape_reader
from trivium.dialects.wire import parsed
from trivium.dialects.zstack.apis import Api
from trivium.dialects.zstack.refusals import Empty, Mandatory, NoAction, NoSuchWord, TooLong

Given = dict[str, Any]
W = TypeVar("W", bound=Wire)

BESIDE: Final = ("systemTags", "userTags", "tagUuids", "resourceUuid")
"""What may stand beside the key that the rest stands under."""

WRAPPERS: Final = ("param", "params")
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
MOST: Final = 10_000
_NUMBERED: Final = re.compile(r"(?P<name>[^.]+)\.(?P<place>[0-9]{1,6})")


def read(api: Api, given: Given) -> Wire:
    """What an API takes, of what is given. Raises `Missing` or `Invalid`, naming the field."""
    return read_shape(api.shape, given, f"API{api.name}Msg")


def read_shape(shape: type[W], given: Given, message: str) -> W:
    """The same of a part of what a message gives, as a shape."""
    try:
        return shape_reader(shape)(given, "")
    except RecursionError as error:
        raise Malformed("body", "the body is nested too deeply") from error
    except Invalid as error:
        raise _outright(shape, given) or _of_message(error, message) from error


def chosen(request: Request, sharing: Sequence[Api]) -> tuple[Api, Given]:
    """Which of the APIs at the place of a request is meant, and what it is given.

    Raises `Malformed`, `Mistyped` or `NoAction`.
    """
    body = _body(request)
    if request.method == "DELETE":
        api, found = sharing[0], {**_bare(sharing[0], body), **of_query(sharing[0], request.query)}
    elif request.method == "PUT":
        api, found = _action(sharing, body)
    else:
        api, found = sharing[0], _bare(sharing[0], body)
        if found is body:
            _check_bare(api, body, ", ".join((*WRAPPERS, *api.wrappers)))
    return api, {**found, **request.parameters}


def of_query(api: Api, query: bytes) -> Given:
    """What a query gives an API: each value of a list as `names=a&names=b` or `names.0=a&names.1=b`.

    Of what comes several times and is no list the first counts, and what the API does not take is passed over.
    """
    gathered: dict[str, list[tuple[int, str]]] = {}
    for pair in query.split(b"&", MOST)[:MOST]:
        raw_name, _, raw_value = pair.partition(b"=")
        name = _text(raw_name, "query")
        numbered = _NUMBERED.fullmatch(name)
        place = int(numbered["place"]) if numbered else 0
        gathered.setdefault(numbered["name"] if numbered else name, []).append((place, _text(raw_value, name)))
    fields = shape_reader(api.shape).fields
    found: Given = {}
    for name, values in gathered.items():
        field = fields.get(name)
        if field is not None:
            texts = [text for _, text in sorted(values, key=lambda value: value[0])]
            found[name] = texts if _is_list(field.type) else texts[0]
    return found


def _outright(shape: type[Wire], given: Given) -> Mistyped | None:
    """The first number or truth value that is none, whatever else is wrong: ZStack's server looks at these first."""
    for name, field in shape_reader(shape).fields.items():
        if given.get(name) is not None and _is_plain(field.type):
            try:
                reader_of(field.type)(given[name], name)
            except Mistyped as error:
                return error
            except Invalid:
                continue
    return None


def _of_message(error: Invalid, message: str) -> Invalid:
    """What is wrong with a field, as ZStack's server says it of the message; its clients look for these texts."""
    told = error.details
    if isinstance(error, Missing):
        empty = told.get("empty")
        return Mandatory(error.field, of=message) if empty is None else Empty(error.field, of=message, what=empty)
    if isinstance(error, OutOfBounds) and "longest" in told:
        return TooLong(error.field, of=message, longest=told["longest"], length=told["length"])
    if isinstance(error, OutOfBounds) and "known" in told:
        known = ", ".join(cast("tuple[str, ...]", told["known"]))
        return NoSuchWord(error.field, of=message, known=known, found=told["found"])
    return error


def _body(request: Request) -> Given:
    raw = request.body.removeprefix(BYTE_ORDER_MARK)
    if not raw.strip():
        return {}
    return _object(parsed(raw), "body")


def _action(sharing: Sequence[Api], body: Given) -> tuple[Api, Given]:
    """The update that the body has a key for; where the path has but one, what it takes may stand there bare."""
    for api in sharing:
        for key in (api.action, *api.wrappers):
            if key in body:
                return api, _within(body, key)
    actions = ", ".join(api.action for api in sharing)
    if len(sharing) > 1:
        raise NoAction("body", actions=actions)
    _check_bare(sharing[0], body, actions)
    return sharing[0], body


def _check_bare(api: Api, body: Given, actions: str) -> None:
    """Refuse a body that is not what the API takes, but has something under a key that stands for nothing here."""
    fields = shape_reader(api.shape).fields
    is_other = any(isinstance(value, dict) and name not in fields for name, value in body.items())
    if is_other and not fields.keys() & body.keys() - set(BESIDE):
        raise NoAction("body", actions=actions)


def _bare(api: Api, body: Given) -> Given:
    """What stands under one of the keys that there may be, or else in the body itself."""
    key = next((key for key in (*WRAPPERS, *api.wrappers) if key in body), None)
    return body if key is None else _within(body, key)


def _within(body: Given, key: str) -> Given:
    """What stands under the key; of tags those that stand beside it come first."""
    inner = {} if body[key] is None else _object(body[key], key)
    beside = {name: body[name] for name in BESIDE if name in body}
    return {**inner, **{name: _joined(value, inner.get(name)) for name, value in beside.items()}}


def _joined(beside: object, within: object) -> object:
    """Both lists in one; of what is no list that which stands within, if anything does."""
    if isinstance(beside, list) and isinstance(within, list):
        return cast("list[object]", beside) + cast("list[object]", within)
    return cast("object", beside if within is None else within)


def _object(value: object, field: str) -> Given:
    if not isinstance(value, dict):
        raise Malformed(field, f"{field} must be a JSON object")
    return cast("Given", value)


def _is_list(type: inspect.Type) -> bool:
    return any(isinstance(part, inspect.CollectionType) for part in _parts(type))


def _is_plain(type: inspect.Type) -> bool:
    """Whether values of the type are numbers or truth values."""
    plain = (inspect.IntType, inspect.FloatType, inspect.BoolType)
    return any(isinstance(part, plain) for part in _parts(type))


def _parts(type: inspect.Type) -> tuple[inspect.Type, ...]:
    return tuple(type.types) if isinstance(type, inspect.UnionType) else (type,)


def _text(raw: bytes, field: str) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise Malformed(field, f"{field} is not UTF-8") from error
