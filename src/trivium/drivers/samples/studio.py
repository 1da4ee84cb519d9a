"""The process that draws small pictures: started when it is first needed, and gone when nobody needs it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PROGRAM: Final = Path(__file__).with_name("drawing.py")
PATIENCE: Final = 40.0  # seconds; the process that draws has fewer
TOLD: Final = 64  # bytes


class Studio:
    """Hands pictures to the program in `drawing`. Safe in several threads; another is started where one has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None

    def draw(self, source: int, target: int, asked: bytes) -> str:
        """Have a picture drawn; `done`, or what is wrong with it; empty where the process ended without a word.

        It blocks. OSError where no process can be had.
        """
        reader, writer = os.pipe()
        try:
            try:
                self._hand(asked, [source, target, writer])
            finally:
                os.close(writer)
            return _heard(reader)
        finally:
            os.close(reader)

    def close(self) -> None:
        """Let the process end, when what it draws is drawn. It may be asked again."""
        with self._lock:
            door, process = self._door, self._process
            self._door = self._process = None
        if door is not None and process is not None:
            door.close()
            threading.Thread(target=process.wait, name="studio", daemon=True).start()

    def _hand(self, asked: bytes, descriptors: list[int]) -> None:
        try:
            self._send(asked, descriptors)
        except (BrokenPipeError, ConnectionError):
            self.close()
            self._send(asked, descriptors)

    def _send(self, asked: bytes, descriptors: list[int]) -> None:
        with self._lock:
            if self._door is None:
                self._start()
            door = self._door
            if door is not None:
                socket.send_fds(door, [asked], descriptors)

    def _start(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", str(PROGRAM), str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={"LC_ALL": "C.UTF-8"},
                    start_new_session=True,
                )
            except OSError:
                mine.close()
                raise
        self._door = mine


def _heard(reader: int) -> str:
    """What is told, up to its end; empty where nothing is in time."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    until = time.monotonic() + PATIENCE
    while (left := until - time.monotonic()) > 0:
        if poll.poll(left * 1000):
            with suppress(UnicodeDecodeError):
                return os.read(reader, TOLD).decode()
            break
    return ""
