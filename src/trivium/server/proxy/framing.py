"""Bodies: how long they are, and where they end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from trivium.server.proxy.heads import AnswerHead, RequestHead
from trivium.server.proxy.problems import Malformed

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_LONGEST_LINE = 4096
_MOST_TRAILERS = 64
NO_BODY = frozenset({204, 304})


class Body(Protocol):
    """Bytes are fed as they come; what is to be handed on comes back."""

    done: bool
    rest: bytes  # when done: what came after the body
    carried: int  # bytes of payload so far

    def feed(self, data: bytes) -> bytes:
        """What to hand on. Raises `Malformed` where the framing is broken."""
        ...

    def end(self) -> bytes | None:
        """What is still to be handed on if the body may end here because the connection does; None: it may not."""
        ...


class Fixed:
    """A body of a length that was announced."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.rest = b""
        self.carried = 0

    def feed(self, data: bytes) -> bytes:
        """What belongs to the body."""
        size = len(data)
        if size < self.left:
            self.left -= size
            self.carried += size
            return data
        payload, self.rest = (data, b"") if size == self.left else (data[: self.left], data[self.left :])
        self.carried += self.left
        self.left = 0
        self.done = True
        return payload

    def end(self) -> bytes | None:
        """Only a complete one may."""
        return b"" if self.done else None


class UntilClose:
    """A body that lasts as long as its connection, handed on as it is."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self.carried = 0

    def feed(self, data: bytes) -> bytes:
        """All of it."""
        self.carried += len(data)
        return data

    def end(self) -> bytes | None:
        """That is how it ends."""
        self.done = True
        return b""


class UntilCloseChunked(UntilClose):
    """The same, handed on in chunks to somebody whose connection goes on."""

    def feed(self, data: bytes) -> bytes:
        """All of it, as one chunk."""
        return as_chunk(super().feed(data))

    def end(self) -> bytes | None:
        """That is how it ends."""
        self.done = True
        return LAST_CHUNK


class Chunked:
    """A body in chunks, handed on without framing. Extensions and trailers are checked for their form and dropped."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self.carried = 0
        self._left = 0  # bytes of the chunk that are still to come
        self._part: Callable[[bytes, int, list[bytes]], int] = self._size
        self._pending: bytes = b""  # the beginning of a line, or of the line end after a chunk
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """What to hand on of all chunks in `data`."""
        if self._left > len(data):
            self._left -= len(data)
            self.carried += len(data)
            return data
        out: list[bytes] = []
        at = self._data(data, 0, out) if self._left else 0
        if self._pending:
            data = self._pending + data[at:]
            self._pending = b""
            at = 0
        while not self.done:
            end = self._part(data, at, out)
            if end < 0:
                self._pending = data[at:]
                break
            at = end
        else:
            self.rest = data[at:]
        return b"".join(out)

    def end(self) -> bytes | None:
        """Only a complete one may."""
        return b"" if self.done else None

    def _framing(self, framing: bytes, out: list[bytes]) -> None:
        """What frames the payload is not handed on."""

    def _size(self, data: bytes, at: int, out: list[bytes]) -> int:
        line = _line(data, at, _SIZE_LINE)
        if line is None:
            return -1
        self._left = int(line[1], 16)
        self._framing(b"%x\r\n" % self._left, out)
        if not self._left:
            self._part = self._trailer
            return line.end()
        return self._data(data, line.end(), out)

    def _data(self, data: bytes, at: int, out: list[bytes]) -> int:
        piece = data[at : at + self._left]
        out.append(piece)
        self._left -= len(piece)
        self.carried += len(piece)
        self._part = self._more if self._left else self._line_end
        return at + len(piece)

    def _more(self, data: bytes, at: int, out: list[bytes]) -> int:
        return self._data(data, at, out) if at < len(data) else -1

    def _line_end(self, data: bytes, at: int, out: list[bytes]) -> int:
        found = data[at : at + 2]
        if not b"\r\n".startswith(found):
            raise Malformed(400)
        if len(found) < 2:  # noqa: PLR2004 - both characters
            return -1
        self._part = self._size
        self._framing(b"\r\n", out)
        return at + 2

    def _trailer(self, data: bytes, at: int, out: list[bytes]) -> int:
        if data.startswith(b"\r\n", at):
            self.done = True
            self._framing(b"\r\n", out)
            return at + 2
        if data[at:] == b"\r":
            return -1
        line = _line(data, at, _TRAILER_LINE)
        if line is None:
            return -1
        self._trailers += 1
        if self._trailers > _MOST_TRAILERS:
            raise Malformed(431, "proxy.too_long")
        return line.end()


class Rechunked(Chunked):
    """The same, handed on in the same chunks, their framing spelt anew: nobody behind can read it in another way."""

    def _framing(self, framing: bytes, out: list[bytes]) -> None:
        out.append(framing)


def request_body(head: RequestHead) -> Body:
    """The body that follows a request's head. Raises `Malformed`."""
    values = head.values
    if b"transfer-encoding" not in values:
        return Fixed(_length(values[b"content-length"], 400) if b"content-length" in values else 0)
    if b"content-length" in values or head.minor == 0:
        raise Malformed(400)
    if values[b"transfer-encoding"].lower() != b"chunked":
        raise Malformed(501, "proxy.coding")
    return Rechunked()


def answer_body(head: AnswerHead, method: str, *, minor: int) -> Body:
    """The body that follows an answer's head, as a client of HTTP/1.`minor` gets it. Raises `Malformed`."""
    if method == "HEAD" or head.status in NO_BODY:
        return Fixed(0)
    values = head.values
    if b"transfer-encoding" not in values:
        if b"content-length" in values:
            return Fixed(_length(values[b"content-length"], 502))
        return UntilCloseChunked() if minor else UntilClose()
    if b"content-length" in values or head.minor == 0 or values[b"transfer-encoding"].lower() != b"chunked":
        raise Malformed(502)
    return Rechunked() if minor else Chunked()


def answer_length(head: AnswerHead, body: Body) -> bytes:
    """The line that tells a client the length of an answer with a `Fixed` body; empty where none belongs."""
    length = head.values.get(b"content-length")
    if length is None or head.status == 204:  # noqa: PLR2004 - no content
        return b""
    if body.done:
        _length(length, 502)  # of a body that is not sent: the answer to HEAD, or 304
    return b"Content-Length: %b\r\n" % length


def as_chunk(payload: bytes) -> bytes:
    """The payload as one chunk; nothing for nothing, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


LAST_CHUNK = b"0\r\n\r\n"


def _length(value: bytes, status: int) -> int:
    if _LENGTH.fullmatch(value) is None:
        raise Malformed(status)
    return int(value)


def _line(data: bytes, at: int, form: re.Pattern[bytes]) -> re.Match[bytes] | None:
    line = form.match(data, at)
    if line is not None and line.end() - at <= _LONGEST_LINE:
        return line
    if b"\n" in data[at:] or len(data) - at > _LONGEST_LINE or not _may_begin(data[at:]):
        raise Malformed(400)
    return None


def _may_begin(piece: bytes) -> bool:
    return b"\r" not in piece[:-1] and b"\x00" not in piece
