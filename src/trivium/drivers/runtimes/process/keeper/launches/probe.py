"""Whether a notebook's server answers: one small HTTP request that is never waited for."""

from __future__ import annotations

import os
import select
import socket
import stat
from contextlib import suppress
from typing import NamedTuple

WITHIN = 5.0  # seconds after which an unanswered request is given up
HEAD = 65536


class Target(NamedTuple):
    """Where a server is expected, and what to ask it."""

    socket: str | None  # the link in root's own directory
    port: int
    path: str
    token: str
    any_status: bool  # an image's own program shows that it is there by any answer


class Probe:
    """One request under way. `look` is to be called now and then."""

    def __init__(self, target: Target, now: float) -> None:
        self._target = target
        self._deadline = now + WITHIN
        self._answer = b""
        self._left = _request(target)
        self._connection = socket.socket(socket.AF_UNIX if target.socket else socket.AF_INET)
        self._connection.settimeout(0)
        where = target.socket or ("127.0.0.1", target.port)
        self._failed = self._connection.connect_ex(where) not in {0, 11, 115}  # EAGAIN, EINPROGRESS

    def look(self, now: float) -> bool | None:
        """Whether it answered as it should; None while it has not answered."""
        if self._failed or now > self._deadline:
            self.close()
            return False
        try:
            self._exchange()
        except BlockingIOError:
            return None
        except OSError:
            self.close()
            return False
        self.close()
        words = self._answer.split(maxsplit=2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1."):  # noqa: PLR2004 - version and status
            return False
        return self._target.any_status or words[1] == b"200"

    def has_news(self) -> bool:
        """Whether a look would find anything out."""
        return self._failed or bool(select.select([self._connection], [], [], 0)[0])

    def close(self) -> None:
        """Let go of the connection. Repeatable."""
        self._connection.close()

    def _exchange(self) -> None:
        while self._left:
            self._left = self._left[self._connection.send(self._left) :]
        while b"\n" not in self._answer and len(self._answer) < HEAD:
            part = self._connection.recv(4096)
            if not part:
                return
            self._answer += part


def show_socket(own: str, link: str, uid: int | None) -> bool:
    """Link the notebook's socket to where it cannot be exchanged; False when there is none, or it is not its own."""
    beside = f"{link}.new"
    with suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        os.link(own, beside, follow_symlinks=False)
    except OSError:
        return False
    entry = os.lstat(beside)
    if not stat.S_ISSOCK(entry.st_mode) or (uid is not None and os.geteuid() == 0 and entry.st_uid != uid):
        os.unlink(beside)
        return False
    os.rename(beside, link)
    with suppress(FileNotFoundError):  # rename does nothing where both are the same file already
        os.unlink(beside)
    return True


def _request(target: Target) -> bytes:
    return (
        f"GET {target.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: token {target.token}\r\n"
        "User-Agent: trivium-keeper\r\nConnection: close\r\n\r\n"
    ).encode()
