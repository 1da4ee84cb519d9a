"""The keeper's control socket: JSON lines over a unix socket that only its own user and root may use."""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import traceback
from collections.abc import Callable
from contextlib import suppress

from trivium.drivers.runtimes.process.keeper.keeper import Keeper, Refused
from trivium.drivers.runtimes.process.keeper.launches.journal import Note

LINE = 4 << 20  # bytes of one request
UCRED = struct.Struct("3i")


class Client:
    """One connection of a server."""

    def __init__(self, connection: socket.socket, keeper: Keeper, selector: selectors.BaseSelector) -> None:
        self._connection = connection
        self._keeper = keeper
        self._selector = selector
        self._read = bytearray()
        self._unsent = bytearray()
        self.is_open = True
        connection.settimeout(0)
        selector.register(connection, selectors.EVENT_READ, self.serve)

    def serve(self) -> None:
        """Take in what has come, answer it, and send what can be sent."""
        try:
            self._receive()
            self._send()
        except OSError:
            self.close()

    def close(self) -> None:
        """End the connection. Repeatable."""
        if self.is_open:
            self.is_open = False
            with suppress(KeyError):
                self._selector.unregister(self._connection)
            self._connection.close()

    def _receive(self) -> None:
        with suppress(BlockingIOError):
            part = self._connection.recv(65536)
            if not part or len(self._read) > LINE:
                self.close()
                return
            self._read += part
        while (end := self._read.find(b"\n")) >= 0:
            line = bytes(self._read[:end])
            del self._read[: end + 1]
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        try:
            note = json.loads(line)
            number, op = note["id"], str(note["op"])
        except (ValueError, KeyError, TypeError):
            self.close()
            return
        try:
            self._keeper.ask(op, note, lambda answer: self._reply({"id": number, "ok": answer}))
        except Refused as refused:
            self._reply({"id": number, "error": str(refused)})
        except (KeyError, TypeError, ValueError) as error:
            self._reply({"id": number, "error": f"this cannot be read: {error!r}"})
        except Exception as error:  # noqa: BLE001 - what fails for one launch must not end the keeper of all others
            traceback.print_exception(error)
            self._reply({"id": number, "error": f"the keeper failed: {error!r}"})

    def _reply(self, note: Note) -> None:
        self._unsent += json.dumps(note).encode() + b"\n"
        if self.is_open:
            try:
                self._send()
            except OSError:
                self.close()

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent and self.is_open:
                del self._unsent[: self._connection.send(self._unsent)]
        if self.is_open:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
            self._selector.modify(self._connection, events, self.serve)


class ControlSocket:
    """The listening socket, and who is connected."""

    def __init__(self, path: str, keeper: Keeper, selector: selectors.BaseSelector) -> None:
        self._path = path
        self._keeper = keeper
        self._selector = selector
        self._clients: list[Client] = []
        self._listener = self._open()

    @property
    def is_used(self) -> bool:
        """Whether a server is connected."""
        self._clients = [one for one in self._clients if one.is_open]
        return bool(self._clients)

    def ensure(self) -> None:
        """Open it anew when somebody removed it from the file system."""
        if not os.path.exists(self._path):
            with suppress(OSError):
                listener = self._open()
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = listener

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            os.unlink(self._path)
        self._listener.close()

    def _open(self) -> socket.socket:
        os.makedirs(os.path.dirname(self._path), mode=0o711, exist_ok=True)
        beside = f"{self._path}.{os.getpid()}"
        with suppress(FileNotFoundError):
            os.unlink(beside)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(beside)
        os.chmod(beside, 0o600)
        listener.listen(64)
        listener.settimeout(0)
        os.rename(beside, self._path)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        return listener

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
            if UCRED.unpack(credentials)[1] not in {0, os.geteuid()}:
                connection.close()
                return
            self._clients.append(Client(connection, self._keeper, self._selector))


def serve(keeper: Keeper, control: ControlSocket, selector: selectors.BaseSelector) -> None:
    """Answer and keep, until there is nothing to keep any more."""
    while not keeper.is_over(is_watched=control.is_used):
        wait = keeper.turn()
        control.ensure()
        for key, _ in selector.select(wait):
            act: Callable[[], None] = key.data
            act()
