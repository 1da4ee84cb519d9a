"""Sending bytes to a listener, and reading whatever comes back."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httptools

PATIENCE: Final = 20.0  # seconds that a server may be silent while it owes an answer


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def type(self) -> str:
        """Its content type; empty where it has none."""
        return next((value for name, value in self.headers if name == "content-type"), "")

    def json(self) -> Any:
        """The body. ValueError where it is no JSON."""
        return json.loads(self.body)


class _Reader:
    """Gathers the answers that a parser finds."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.answers.append(Answer(self.parser.get_status_code(), tuple(self._headers), bytes(self._body)))
        self._headers, self._body = [], bytearray()


class Connection:
    """A connection that is kept while it lives, for requests that are whole."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> Answer:
        """The answer. AssertionError where none comes."""
        for _ in range(2):  # a connection may have been closed after the last answer
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            answers = _exchange(self._socket, [request], until=1)
            if not answers or any(pair == ("connection", "close") for pair in answers[0].headers):
                self.close()
            if answers:
                return answers[0]
        raise AssertionError(f"no answer to {request[:2000]!r}")

    def close(self) -> None:
        """Let go of it. Repeatable."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def send(port: int, pieces: Sequence[bytes], *, patience: float = PATIENCE) -> list[Answer]:
    """All answers to these bytes on a connection of their own, which is then half closed."""
    with socket.create_connection(("127.0.0.1", port), patience) as connection:
        return _exchange(connection, pieces, until=None)


def _exchange(connection: socket.socket, pieces: Sequence[bytes], *, until: int | None) -> list[Answer]:
    reader = _Reader()
    try:
        for piece in pieces:
            connection.sendall(piece)
        if until is None:
            connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + PATIENCE
        while until is None or len(reader.answers) < until:
            connection.settimeout(max(deadline - time.monotonic(), 0.01))
            part = connection.recv(65536)
            if not part:
                break
            reader.parser.feed_data(part)
    except TimeoutError:
        raise
    except (OSError, httptools.HttpParserUpgrade):
        pass  # it hung up, as it may; or it speaks WebSocket from here on
    return reader.answers
