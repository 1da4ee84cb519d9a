"""Calls of every operation that SCNet's dialect declares, with parameters of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote_from_bytes

from msgspec import inspect

from tests.fuzz.dice import Dice, chance, one_of
from tests.fuzz.values import Pairs, anything, damaged, mixed, written
from trivium.base.keyring import Keyring
from trivium.dialects.operation import Operation, Wire
from trivium.dialects.scnet import ScnetDialect, ScnetSettings

TYPES: Final = ("application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "", "x")
SIGNED: Final = ("user", "accessKey", "timestamp", "signature", "Accept-Language", "X-Request-Id")
PLAIN: Final[dict[type[inspect.Type], Any]] = {
    inspect.IntType: 1,
    inspect.FloatType: 1.5,
    inspect.BoolType: True,
    inspect.ListType: [],
    inspect.VarTupleType: [],
    inspect.DictType: {},
}
"""Values that fields of these types may have; of all others, text."""

FAIR: Final = 90
"""Percent of right values from which on what is not known is filled in as it may be."""

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


@dataclass(frozen=True)
class Call:
    """One request, as it goes to the server."""

    operation: str
    method: str
    target: bytes  # path and query
    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    def raw(self) -> bytes:
        """The request's bytes."""
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), self.target), b"Host: 127.0.0.1"]
        lines += [b"%s: %s" % (name.encode(), value) for name, value in self.headers]
        if self.body or self.method not in ("GET", "HEAD"):
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Known:
    """What a caller may know or guess: values that are likely for fields of certain names.

    `right` percent of all values are as they may be, and `there` percent of what need not be there is.
    """

    tokens: tuple[str, ...]
    by_name: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    right: int = 70
    there: int = 80


def operations() -> tuple[Operation, ...]:
    """All that the dialect declares."""

    class Nothing:
        keyring = Keyring(bytes(32))

    core: Any = Nothing()
    return ScnetDialect(core, ScnetSettings()).operations


def call_of(dice: Dice, operation: Operation, known: Known) -> Call:
    """A call of an operation: mostly of its own shape, with some of it wrong; half of them could well be right."""
    if chance(dice, 50):
        known = replace(known, right=97, there=25)
    method = operation.method if chance(dice, 95) else one_of(dice, METHODS)
    target = _target(dice, operation, known)
    body = _body(dice, operation.body, known) if operation.method != "GET" or chance(dice, 10) else b""
    return Call(
        operation=operation.name,
        method=method,
        target=target,
        headers=tuple(_headers(dice, known)),
        body=body,
    )


def _target(dice: Dice, operation: Operation, known: Known) -> bytes:
    path = b"".join(b"/" + _segment(dice, part, known) for part in operation.path.split("/")[1:])
    fields = _fields(dice, operation.query, known)
    if not fields:
        return path
    pairs = [b"%s=%s" % (_quoted(dice, name), _quoted(dice, _plain(value))) for name, value in fields]
    query = b"&".join(pairs)
    return path + b"?" + (query if chance(dice, 95) else _visible(damaged(dice, query)))


def _segment(dice: Dice, part: str, known: Known) -> bytes:
    """A segment of a path; what stands for a {name} is any text."""
    likely = known.by_name.get(part[1:-1], known.by_name["id"])
    value = _plain(mixed(dice, one_of(dice, likely), known.right)) if part.startswith("{") else part
    return quote_from_bytes(value.encode("utf-8", "surrogatepass")[:500], safe="").encode()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else written(value)


def _quoted(dice: Dice, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")[:2000]
    return quote_from_bytes(raw, safe="" if chance(dice, 80) else "%/:+;,").encode()


def _visible(raw: bytes) -> bytes:
    """Without what no request line has, which is refused before it is a call."""
    return bytes(byte for byte in raw if 0x20 < byte < 0x7F) or b"x"


def _body(dice: Dice, shape: type[Wire], known: Known) -> bytes:
    value: Any = _fields(dice, shape, known) if chance(dice, 84 + known.right // 7) else anything(dice)
    text = written(value)
    codec = "utf-8" if chance(dice, 96) else one_of(dice, ("utf-16", "latin-1", "utf-8-sig"))
    raw = text.encode(codec, "surrogatepass" if codec == "utf-8" else "replace")
    return raw if chance(dice, 94) else damaged(dice, raw)


def _fields(dice: Dice, shape: type[Any], known: Known) -> Pairs:
    """A shape's fields: most of them there, some twice, some of another type, some that are none."""
    pairs = Pairs()
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    for one in info.fields:
        if chance(dice, known.right + 2 if one.required else known.there):
            for _ in range(2 if chance(dice, 4) else 1):
                pairs.append((one.encode_name, _value(dice, one.encode_name, one.type, known)))
    if chance(dice, 10):
        pairs.append((str(anything(dice, 0)), anything(dice)))
    return pairs


def _value(dice: Dice, name: str, kind: inspect.Type, known: Known) -> Any:
    likely = known.by_name.get(name)
    if likely is not None:
        return mixed(dice, one_of(dice, likely), known.right)
    inner = [one for one in getattr(kind, "types", (kind,)) if not isinstance(one, inspect.NoneType)]
    first = inner[0] if inner else kind
    if isinstance(first, inspect.CollectionType):
        structs = first.item_type
        if isinstance(structs, inspect.StructType):
            return mixed(dice, [_fields(dice, structs.cls, known) for _ in range(dice.whole(0, 3))], known.right)
    if isinstance(first, inspect.StructType):
        return mixed(dice, _fields(dice, first.cls, known), known.right)
    return mixed(dice, PLAIN.get(type(first), "x"), known.right) if known.right > FAIR else anything(dice)


def _headers(dice: Dice, known: Known) -> list[tuple[str, bytes]]:
    token = one_of(dice, known.tokens) if chance(dice, 92) else _plain(anything(dice, 0))
    headers = [("token", _header(token))]
    if chance(dice, 90):
        headers.append(("Content-Type", one_of(dice, TYPES).encode()))
    said = [name for name in SIGNED if chance(dice, 15)]
    headers += [(name, _header(_plain(mixed(dice, one_of(dice, known.by_name.get(name, ("x",))))))) for name in said]
    return headers


def _header(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")[:1500]
    return bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F).strip()  # else it would be another header
