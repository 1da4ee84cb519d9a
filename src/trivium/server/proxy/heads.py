"""Heads of requests and answers: held to the strict grammar of RFC 9112 in one pass, and taken apart.

What is lenient in the standard is refused: folded lines, spaces about names, line ends that are not CR LF, control
characters, several or signed lengths, a length beside a transfer coding. The grammar is one regular expression, because
a parser that calls back for each field takes several times as long; the tests hold it against llhttp and h11.
"""

from __future__ import annotations

import re
from typing import Final

from trivium.base.values import Value
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.settings import ProxySettings

Field = tuple[bytes, bytes]  # the name in lower case, and the whole line as it came, without its end
END: Final = b"\r\n\r\n"

_FIELDS: Final = rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
_REQUEST: Final = re.compile(
    rb"([A-Z-]{1,32}+) ([\x21\x24-\x7e][\x21-\x22\x24-\x7e]*+) HTTP/([0-9])\.([0-9])\r\n" + _FIELDS
)
_REQUEST_LINE: Final = re.compile(
    rb"[A-Z-]{1,32} [\x21\x24-\x7e][\x21-\x22\x24-\x7e]* HTTP/(?!1\.[01])[0-9]\.[0-9]\r\n"
)
_ANSWER: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*+))?\r\n" + _FIELDS)
_BARE_END: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|\x00")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_METHODS: Final = re.compile(
    rb"ACL|BIND|CHECKOUT|CONNECT|COPY|DELETE|GET|HEAD|LINK|LOCK|M-SEARCH|MERGE|MKACTIVITY|MKCALENDAR|MKCOL|MOVE|NOTIFY|"
    rb"OPTIONS|PATCH|POST|PROPFIND|PROPPATCH|PURGE|PUT|QUERY|REBIND|REPORT|SEARCH|SOURCE|SUBSCRIBE|TRACE|UNBIND|UNLINK|"
    rb"UNLOCK|UNSUBSCRIBE"
)


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


def parse_request(raw: bytes, settings: ProxySettings) -> RequestHead:
    """The request that the head `raw`, empty line included, stands for. Raises `Malformed`."""
    found = _REQUEST.fullmatch(raw)
    if found is None:
        raise _refusal(raw, settings)
    name, target, major, minor, block = found.groups()
    if major != b"1" or minor not in (b"0", b"1"):
        raise Malformed(505, "proxy.version")
    if len(target) > settings.target_bytes:
        raise Malformed(414, "proxy.too_long")
    if _METHODS.fullmatch(name) is None:
        raise Malformed(501, "proxy.method")
    fields, values = _taken_apart(block, settings.head_fields)
    return RequestHead(method=name.decode(), target=target, minor=int(minor), fields=fields, values=values)


def parse_answer(raw: bytes, settings: ProxySettings) -> AnswerHead:
    """The answer that the head `raw`, empty line included, stands for. Raises `Malformed`."""
    found = _ANSWER.fullmatch(raw)
    if found is None:
        raise Malformed(502)
    minor, status, reason, block = found.groups()
    fields, values = _taken_apart(block, settings.head_fields)
    return AnswerHead(status=int(status), reason=reason or b"", minor=int(minor), fields=fields, values=values)


def has_bare_end(beginning: bytes | bytearray, since: int = 0) -> bool:
    """Whether the beginning of a head has, from byte `since` on, a line end that is not CR LF, or NUL."""
    return _BARE_END.search(beginning, since) is not None


def tokens(value: bytes) -> list[bytes]:
    """The members of a comma-separated field, in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",")]


def _taken_apart(block: bytes, limit: int) -> tuple[list[Field], dict[bytes, bytes]]:
    lines = block.split(b"\r\n")
    lines.pop()
    if len(lines) > limit:
        raise Malformed(431, "proxy.too_long")
    fields: list[Field] = []
    values: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        low = name.lower()
        fields.append((low, line))
        if low in values:
            values[low] += (b"; " if low == b"cookie" else b", ") + value.strip(b" \t")
        else:
            values[low] = value.strip(b" \t")
    if b"content-length" in values or b"transfer-encoding" in values:
        _check_framing(values)
    return fields, values


def _check_framing(values: dict[bytes, bytes]) -> None:
    """Raise `Malformed` where it is not beyond all doubt how long the body is."""
    coding = values.get(b"transfer-encoding")
    length = values.get(b"content-length")
    if coding is None:
        if length is not None and _LENGTH.fullmatch(length) is None:
            raise Malformed(400)
        return
    codings = tokens(coding)
    if length is not None or codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise Malformed(400)


def _refusal(raw: bytes, settings: ProxySettings) -> Malformed:
    """Why a head that is no request is none."""
    if raw.find(b"\r\n") > settings.target_bytes:
        return Malformed(414, "proxy.too_long")
    if _REQUEST_LINE.match(raw) is not None:
        return Malformed(505, "proxy.version")
    return Malformed(400)
