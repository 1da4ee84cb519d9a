"""The WebSocket handshake (RFC 6455, section 4): checked on both sides before bytes are spliced."""

from __future__ import annotations

import base64
import binascii
import hashlib

from trivium.server.proxy.heads import AnswerHead, RequestHead, tokens
from trivium.server.proxy.problems import Malformed, Problem

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


def asks_for_websocket(head: RequestHead) -> bool:
    """Whether the request asks to go on as a WebSocket. Other upgrades are not passed on."""
    return (
        b"upgrade" in head.values
        and head.minor == 1
        and head.values.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in tokens(head.values.get(b"connection", b""))
    )


def check_handshake(head: RequestHead) -> None:
    """Raise `Problem` (400, 426) for a handshake that no WebSocket server may accept."""
    values = head.values
    if values.get(b"sec-websocket-version") != b"13":
        raise Problem(426, "proxy.upgrade")
    if head.method != "GET" or b"content-length" in values or b"transfer-encoding" in values:
        raise Problem(400, "proxy.upgrade")
    try:
        key = base64.b64decode(values.get(b"sec-websocket-key", b""), validate=True)
    except binascii.Error as error:
        raise Problem(400, "proxy.upgrade") from error
    if len(key) != _KEY_BYTES:
        raise Problem(400, "proxy.upgrade")


def check_agreement(answer: AnswerHead, key: bytes) -> None:
    """Raise `Malformed` for a 101 that does not agree to the handshake with `key`."""
    values = answer.values
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
    if (
        values.get(b"upgrade", b"").lower() != b"websocket"
        or b"upgrade" not in tokens(values.get(b"connection", b""))
        or values.get(b"sec-websocket-accept") != accept
    ):
        raise Malformed(502)
