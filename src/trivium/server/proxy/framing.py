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
    """Bytes are fed as they come; the payload comes back."""

    done: bool
    rest: bytes  # when done: what came after the body

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`. Raises `Malformed` where the framing is broken."""
        ...

    def end(self) -> bool:
        """Whether the body may end here because the connection does."""
        ...


class Fixed:
    """A body of a length that was announced."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """What belongs to the body."""
        size = len(data)
        if size < self.left:
            self.left -= size
            return data
        payload, self.rest = (data, b"") if size == self.left else (data[: self.left], data[self.left :])
        self.left = 0
        self.done = True
        return payload

    def end(self) -> bool:
        """Only a complete one may."""
        return self.done


class UntilClose:
    """A body that lasts as long as its connection."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """All of it."""
        return data

    def end(self) -> bool:
        """That is how it ends."""
        self.done = True
        return True


class Chunked:
    """A body in chunks. Extensions and trailers are checked for their form and dropped."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self._left = 0  # bytes of the chunk that are still to come
        self._part: Callable[[bytes, int, list[bytes]], int] = self._size
        self._pending: bytes = b""  # the beginning of a line, or of the line end after a chunk
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """The payload of all chunks in `data`."""
        if self._left > len(data):
            self._left -= len(data)
            return data
        payload: list[bytes] = []
        at = self._data(data, 0, payload) if self._left else 0
        if self._pending:
            data = self._pending + data[at:]
            self._pending = b""
            at = 0
        while not self.done:
            end = self._part(data, at, payload)
            if end < 0:
                self._pending = data[at:]
                break
            at = end
        else:
            self.rest = data[at:]
        return b"".join(payload)

    def end(self) -> bool:
        """Only a complete one may."""
        return self.done

    def _size(self, data: bytes, at: int, payload: list[bytes]) -> int:
        line = _line(data, at, _SIZE_LINE)
        if line is None:
            return -1
        self._left = int(line[1], 16)
        if not self._left:
            self._part = self._trailer
            return line.end()
        return self._data(data, line.end(), payload)

    def _data(self, data: bytes, at: int, payload: list[bytes]) -> int:
        piece = data[at : at + self._left]
        payload.append(piece)
        self._left -= len(piece)
        self._part = self._more if self._left else self._line_end
        return at + len(piece)

    def _more(self, data: bytes, at: int, payload: list[bytes]) -> int:
        return self._data(data, at, payload) if at < len(data) else -1

    def _line_end(self, data: bytes, at: int, payload: list[bytes]) -> int:
        del payload
        found = data[at : at + 2]
        if not b"\r\n".startswith(found):
            raise Malformed(400)
        if len(found) < 2:  # noqa: PLR2004 - both characters
            return -1
        self._part = self._size
        return at + 2

    def _trailer(self, data: bytes, at: int, payload: list[bytes]) -> int:
        del payload
        if data.startswith(b"\r\n", at):
            self.done = True
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


def request_body(head: RequestHead) -> Body:
    """The body that follows a request's head. Raises `Malformed`."""
    coding = head.values.get(b"transfer-encoding")
    length = head.values.get(b"content-length")
    if coding is not None:
        if length is not None or head.minor == 0:
            raise Malformed(400)
        if coding.lower() != b"chunked":
            raise Malformed(501, "proxy.coding")
        return Chunked()
    return Fixed(0) if length is None else Fixed(_length(length, 400))


def answer_body(head: AnswerHead, method: str) -> Body:
    """The body that follows an answer's head. Raises `Malformed`."""
    if method == "HEAD" or head.status in NO_BODY:
        return Fixed(0)
    coding = head.values.get(b"transfer-encoding")
    length = head.values.get(b"content-length")
    if coding is not None:
        if length is not None or head.minor == 0 or coding.lower() != b"chunked":
            raise Malformed(502)
        return Chunked()
    return UntilClose() if length is None else Fixed(_length(length, 502))


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
