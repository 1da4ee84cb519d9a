"""Shell commands that are run inside notebooks, and the replies with their output."""

from __future__ import annotations

import errno
import json
import os
import selectors
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from trivium.drivers.runtimes.process.keeper.launches.journal import Note
from trivium.drivers.runtimes.process.keeper.launches.launch import Launch
from trivium.drivers.runtimes.process.keeper.startup import attaching, minder, steps
from trivium.drivers.runtimes.process.keeper.system import processes
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

Reply = Callable[[Note], None]
WITHIN = 20  # seconds for what is done in a notebook's namespace
LOST: Note = {"code": 120, "output": ""}


class Commands:
    """The commands that somebody waits for."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def run(self, launch: Launch, command: str, *, within: float, reply: Reply) -> None:
        """Run a command inside a launch, and reply its exit status and output. OSError when it cannot be started."""
        if launch.main is None:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        asked = minder.Command(launch.main, command, within)
        wait, go = os.pipe2(os.O_CLOEXEC)
        heard, spoken = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                minder.attend(launch.plan(), launch.notes.directory, go=wait, answer=spoken, command=asked)
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

    def inside(self, launch: Launch, act: Callable[[], None], *, reply: Reply) -> None:
        """Do something as root in the mount namespace of a launch, and reply why it failed, if it did.

        OSError when it cannot be begun.
        """
        if launch.main is None:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        heard, spoken = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            _act_inside(launch.main, act, spoken)
        os.close(spoken)
        os.set_blocking(heard, False)
        self._await(heard, reply, lost={"failed": "it took too long"})

    def _await(self, heard: int, reply: Reply, lost: Note = LOST) -> None:
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
                reply(dict(lost))

        self._selector.register(heard, selectors.EVENT_READ, listen)


def _act_inside(main: Identity, act: Callable[[], None], spoken: int) -> NoReturn:
    """Act in a fork of the keeper. Nothing may be read or loaded in there, so no fault is looked into."""
    told: Note = {"failed": "a fault of the keeper"}
    try:
        steps.reset_signals()
        signal.alarm(WITHIN)
        attaching.enter(main)
        act()
        told = {"failed": None}
    except OSError as error:
        told = {"failed": error.strerror or str(error)}
    finally:
        with suppress(BaseException):
            os.write(spoken, json.dumps(told).encode())
        os._exit(0)
