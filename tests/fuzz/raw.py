"""Bytes for a listener: requests that are almost right, several in a row, cut, doubled, changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.fuzz.dice import Dice, chance, one_of
from tests.fuzz.values import damaged

LINES: Final = (
    b"GET / HTTP/1.1",
    b"GET /ai/openapi/v2/notebook/list?page=1&size=10 HTTP/1.1",
    b"POST /ac/openapi/v2/notebook/actions/create HTTP/1.1",
    b"POST /api/user/v3/tokens HTTP/1.1",
    b"GET /nb/1/lab HTTP/1.1",
    b"GET /nb/1/api/kernels/x/channels HTTP/1.1",
    b"GET /healthz HTTP/1.0",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT 127.0.0.1:22 HTTP/1.1",
    b"GET http://127.0.0.1/ai/openapi/v2/notebook/list HTTP/1.1",
    b"GET //nb//1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"BREW / HTTP/1.1",
    b"GET / HTTP/3.7",
    b"GET /\xff\xfe%00%zz HTTP/1.1",
    b"",
)
FIELDS: Final = (
    b"Host: 127.0.0.1",
    b"Host: x\r\nHost: y",
    b"Connection: close",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    b"Expect: 100-continue",
    b"Content-Type: application/json",
    b"Content-Length: 2",
    b"Content-Length: 0",
    b"Content-Length: 2\r\nContent-Length: 3",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 20000000",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"token: " + b"\x80" * 50,
    b"token: " + b"." * 3000,
    b"Cookie: " + b"a=b; " * 1000,
    b"Authorization: Basic !!!",
    b"X-A: " + b"b" * 66_000,
    b"\tfolded",
    b"no colon",
    b": no name",
    b"bad name\x00: x",
)
BODIES: Final = (
    b"",
    b"{}",
    b"2\r\n{}\r\n0\r\n\r\n",
    b'5;ext=1\r\n{"a":\r\n1\r\n1\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n',
    b"ffffffffffffffff\r\nx",
    b"-1\r\nx\r\n0\r\n\r\n",
    b"zz\r\n",
    b"[" * 100_000,
    b"\x00" * 100,
    b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


def requests(dice: Dice) -> Sequence[bytes]:
    """What goes out on one connection, in the pieces in which it goes."""
    raw = b"".join(_request(dice) for _ in range(dice.whole(1, 4)))
    if chance(dice, 40):
        raw = damaged(dice, raw)
    if not chance(dice, 30):
        return [raw]
    cuts = sorted(dice.whole(0, len(raw)) for _ in range(dice.whole(1, 5)))
    return [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


def _request(dice: Dice) -> bytes:
    fields = [one_of(dice, FIELDS) for _ in range(dice.whole(0, 5))]
    return b"\r\n".join((one_of(dice, LINES), *fields, b"", one_of(dice, BODIES)))
