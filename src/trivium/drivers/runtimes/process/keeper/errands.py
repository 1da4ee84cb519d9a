"""Commands under way inside notebooks, and who is told what came of them."""

from __future__ import annotations

import errno
import json
import os
import selectors
from collections.abc import Callable

from trivium.drivers.runtimes.process.keeper import minder, processes
from trivium.drivers.runtimes.process.keeper.journal import Note
from trivium.drivers.runtimes.process.keeper.launch import Launch

Reply = Callable[[Note], None]
LOST = {"code": 120, "output": ""}


class Errands:
    """The commands that somebody waits for."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def send(self, launch: Launch, command: str, *, within: float, reply: Reply) -> None:
        """Run a command inside a launch, and reply what came of it. OSError when it cannot be started."""
        if launch.main is None:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        errand = minder.Errand(launch.main, command, within)
        wait, go = os.pipe2(os.O_CLOEXEC)
        heard, spoken = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                minder.attend(launch.plan(), launch.notes.directory, go=wait, answer=spoken, errand=errand)
            finally:
                os._exit(minder.SPAWN_FAILED)
        os.close(wait)
        os.close(spoken)
        try:
            attendant = processes.identify(pid)
            if attendant is not None:
                launch.attended(attendant)
                os.write(go, b"!")
        except OSError:
            os.close(heard)
            raise
        finally:
            os.close(go)
        os.set_blocking(heard, False)
        self._await(heard, reply)

    def _await(self, heard: int, reply: Reply) -> None:
        said = bytearray()

        def listen() -> None:
            try:
                part = os.read(heard, 65536)
            except BlockingIOError:
                return
            said.extend(part)
            if part:
                return
            self._selector.unregister(heard)
            os.close(heard)
            try:
                reply(json.loads(said))
            except ValueError:
                reply(dict(LOST))

        self._selector.register(heard, selectors.EVENT_READ, listen)
