"""Heads of requests and answers: held to the strict grammar of RFC 9112 in one pass, and taken apart.

What is lenient in the standard is refused: folded lines, spaces about names, line ends that are not CR LF, control
characters, several or signed lengths, a length beside a transfer coding. The grammar is two regular expressions: a
parser that calls back for each field takes several times as long. The tests hold them against llhttp and h11. Fields
hardly change from one request to the next, so the same bytes are judged and taken apart once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from trivium.base.values import Value
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.settings import ProxySettings

Field = tuple[bytes, bytes]  # the name in lower case, and the whole line as it came, without its end
END: Final = b"\r\n\r\n"
KEPT: Final = 1024  # blocks of fields that are kept, and whatever is made of each
LONGEST_KEPT: Final = 4096  # bytes of one of them

_REQUEST_LINE: Final = re.compile(rb"([A-Z-]{1,32}+) ([\x21\x24-\x7e][\x21-\x22\x24-\x7e]*+) HTTP/([0-9])\.([0-9])\r\n")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*+))?\r\n")
_FIELDS: Final = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n")
_BARE_END: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|\x00")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_SPECIAL: Final = _FRAMING | {b"expect", b"upgrade"}
_MINORS: Final = {b"0": 0, b"1": 1}
_METHODS: Final = {
    name: name.decode()
    for name in (
        b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE "
        b"NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE "
        b"UNBIND UNLINK UNLOCK UNSUBSCRIBE"
    ).split()
}


class Fields:
    """The fields of a head. The same bytes give the same object, so that what is made of it can be kept, too."""

    __slots__ = ("block", "closes", "is_plain", "is_short", "lines", "values")

    def __init__(self, lines: list[Field], values: dict[bytes, bytes], *, block: bytes = b"") -> None:
        self.block = block  # the bytes that they are, empty line included
        self.lines = lines
        self.values = values  # by lower-case name; repeated ones joined by a comma, cookies by a semicolon
        self.is_short = len(block) <= LONGEST_KEPT  # so that it, and what is made of it, is kept
        self.is_plain = _SPECIAL.isdisjoint(values)  # a head, and no more
        self.closes = b"connection" in values and b"close" in tokens(values[b"connection"])


class RequestHead(Value, frozen=True):
    """What a client asks."""

    method: str
    target: bytes  # as it came: path and query, or an absolute URL
    minor: int  # of HTTP/1.x
    fields: Fields
    values: dict[bytes, bytes]


class AnswerHead(Value, frozen=True):
    """What a notebook answers."""

    status: int
    reason: bytes
    minor: int
    fields: Fields
    values: dict[bytes, bytes]


def parse_request(raw: bytes, settings: ProxySettings) -> RequestHead:
    """The request that the head `raw`, empty line included, stands for. Raises `Malformed`."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise Malformed(414 if raw.find(b"\r\n") > settings.target_bytes else 400)
    method, target, major, minor = line.groups()
    if major != b"1" or minor not in _MINORS:
        raise Malformed(505, "proxy.version")
    if len(target) > settings.target_bytes:
        raise Malformed(414, "proxy.too_long")
    fields = _fields(raw[line.end() :], settings.head_fields)
    if method not in _METHODS:
        raise Malformed(501, "proxy.method")
    return RequestHead(
        method=_METHODS[method], target=target, minor=_MINORS[minor], fields=fields, values=fields.values
    )


def parse_answer(raw: bytes, most: int) -> AnswerHead:
    """The answer that the head `raw`, empty line included, stands for; `most` fields at most. Raises `Malformed`."""
    line = _STATUS_LINE.match(raw)
    if line is None:
        raise Malformed(502)
    minor, status, reason = line.groups()
    fields = _taken_apart(raw[line.end() :], most)
    return AnswerHead(
        status=int(status), reason=reason or b"", minor=_MINORS[minor], fields=fields, values=fields.values
    )


def has_bare_end(beginning: bytes | bytearray, since: int = 0) -> bool:
    """Whether the beginning of a head has, from byte `since` on, a line end that is not CR LF, or NUL."""
    return _BARE_END.search(beginning, since) is not None


def tokens(value: bytes) -> list[bytes]:
    """The members of a comma-separated field, in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",")]


def _fields(block: bytes, limit: int) -> Fields:
    """The fields of a head, which are all that is behind its first line. Raises `Malformed`."""
    return _kept(block, limit) if len(block) <= LONGEST_KEPT else _taken_apart(block, limit)


def _taken_apart(block: bytes, limit: int) -> Fields:
    if block.count(b"\r\n") - 1 > limit:
        raise Malformed(431, "proxy.too_long")
    if _FIELDS.fullmatch(block) is None:
        raise Malformed(400)
    lines: list[Field] = []
    values: dict[bytes, bytes] = {}
    for line in block.split(b"\r\n")[:-2]:
        name, _, value = line.partition(b":")
        low = name.lower()
        lines.append((low, line))
        if low in values:
            values[low] += (b"; " if low == b"cookie" else b", ") + value.strip(b" \t")
        else:
            values[low] = value.strip(b" \t")
    if not _FRAMING.isdisjoint(values):
        _check_framing(lines, values)
    return Fields(lines, values, block=block)


_kept = lru_cache(KEPT)(_taken_apart)


def _check_framing(lines: list[Field], values: dict[bytes, bytes]) -> None:
    """Raise `Malformed` where it is not beyond all doubt how long the body is."""
    if any(b"\t" in line for low, line in lines if low in _FRAMING):
        raise Malformed(400)  # some parsers do not take tabs off a value
    coding = values.get(b"transfer-encoding")
    length = values.get(b"content-length")
    if coding is None:
        if length is not None and _LENGTH.fullmatch(length) is None:
            raise Malformed(400)
        return
    codings = tokens(coding)
    if length is not None or codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise Malformed(400)
