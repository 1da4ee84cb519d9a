"""Heads of requests and answers: parsed by llhttp in its strict form, and held to a grammar that is stricter still.

llhttp refuses folded and spaced names, bare line ends, control characters, repeated or signed lengths and lengths
beside a transfer coding. The start lines it leaves open (HTTP/0.9, several spaces, empty lines before) are closed here.
"""

from __future__ import annotations

import re
from typing import Protocol

import httptools

from trivium.base.values import Value
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.settings import ProxySettings

Field = tuple[bytes, bytes, bytes]  # the name in lower case, the name as it came, the value

_REQUEST_LINE = re.compile(rb"([A-Z-]{1,32}) ([\x21\x24-\x7e][\x21-\x22\x24-\x7e]*) HTTP/([0-9])\.([0-9])\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")
_BARE_END = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|\x00")


class RequestHead(Value, frozen=True):
    """What a client asks."""

    method: str
    target: bytes  # as it came: path and query, or an absolute URL
    minor: int  # of HTTP/1.x
    fields: list[Field]
    values: dict[bytes, bytes]  # by lower-case name; repeated ones joined by a comma, cookies by a semicolon


class AnswerHead(Value, frozen=True):
    """What a notebook answers."""

    status: int
    reason: bytes
    minor: int
    fields: list[Field]
    values: dict[bytes, bytes]


class _Parser(Protocol):
    def feed_data(self, data: bytes) -> object: ...


class _Fields:
    """Collects what llhttp reports."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.values: dict[bytes, bytes] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One more field."""
        low = name.lower()
        value = value.strip(b" \t")
        self.fields.append((low, name, value))
        before = self.values.get(low)
        if before is None:
            self.values[low] = value
        else:
            self.values[low] = before + (b"; " if low == b"cookie" else b", ") + value


def parse_request(raw: bytes, settings: ProxySettings) -> RequestHead:
    """The request that the head `raw`, empty line included, stands for. Raises `Malformed`."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise Malformed(414 if raw.find(b"\r\n") > settings.target_bytes else 400)
    if line[3] != b"1" or line[4] not in {b"0", b"1"}:
        raise Malformed(505, "proxy.version")
    if len(line[2]) > settings.target_bytes:
        raise Malformed(414, "proxy.too_long")
    found = _Fields()
    _feed(httptools.HttpRequestParser(found), raw, found, limit=settings.head_fields)
    return RequestHead(
        method=line[1].decode("ascii"),
        target=line[2],
        minor=int(line[4]),
        fields=found.fields,
        values=found.values,
    )


def parse_answer(raw: bytes, settings: ProxySettings) -> AnswerHead:
    """The answer that the head `raw`, empty line included, stands for. Raises `Malformed`."""
    line = _STATUS_LINE.match(raw)
    if line is None:
        raise Malformed(502)
    found = _Fields()
    _feed(httptools.HttpResponseParser(found), raw, found, limit=settings.head_fields)
    return AnswerHead(
        status=int(line[2]),
        reason=line[3] or b"",
        minor=int(line[1]),
        fields=found.fields,
        values=found.values,
    )


def has_bare_end(beginning: bytes | bytearray, since: int = 0) -> bool:
    """Whether the beginning of a head has, from byte `since` on, a line end that is not CR LF, or NUL."""
    return _BARE_END.search(beginning, since) is not None


def tokens(value: bytes) -> list[bytes]:
    """The members of a comma-separated field, in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",")]


def _feed(parser: _Parser, raw: bytes, found: _Fields, *, limit: int) -> None:
    if raw.count(b"\r\n") - 2 > limit:
        raise Malformed(431, "proxy.too_long")
    if has_bare_end(raw):
        raise Malformed(400)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # that is how it says that the head is complete and asks for another protocol
    except httptools.HttpParserInvalidMethodError as error:
        raise Malformed(501, "proxy.method") from error
    except httptools.HttpParserError as error:
        raise Malformed(400) from error
    if len(found.fields) != raw.count(b"\r\n") - 2:
        raise Malformed(400)  # a line that was not taken for a field
