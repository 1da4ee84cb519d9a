"""The server's side of the keeper: one connection, opened when it is needed, and the keeper started where none runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from trivium.drivers.runtimes.process.keeper import boot
from trivium.drivers.runtimes.process.settings import claim
from trivium.resources.notebooks import RuntimeUnavailable

START_WITHIN = 10.0  # seconds for a keeper to open its door
ONCE = frozenset({"execute"})  # what must not happen twice
# What only the host's holder may do.
ACTING = frozenset({"launch", "stop", "forget", "remove", "adopt", "attach", "detach"})
LINE = 64 << 20  # bytes of one answer
STEP = 0.02  # seconds between two knocks

Answer = dict[str, Any]


class KeeperClient:
    """Asks the keeper of a data directory. Used from one event loop, which it never blocks."""

    def __init__(self, data: Path, run: Path, *, within: float, epoch: Callable[[], int]) -> None:
        self._data, self._run, self._within = data, run, within
        self._epoch = epoch
        self._path = run / boot.SOCKET
        self._opening = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._number = 0

    async def ask(self, op: str, *, longer: float = 0.0, **told: object) -> Answer:
        """What the keeper answers; `RuntimeUnavailable` when it does not, or refuses.

        What only the host's holder may do raises what `epoch` raises, and is refused to one that was passed over.

        `longer` are seconds that what is asked may take beyond an ordinary answer.
        """
        if op in ACTING:
            told["epoch"] = self._epoch()
        try:
            async with asyncio.timeout(self._within + longer):
                if op in ONCE:
                    await self._ask_again("hello", {})  # a connection that died unnoticed shows itself here
                    return await self._exchange(op, told)
                return await self._ask_again(op, told)
        except TimeoutError as error:
            raise RuntimeUnavailable("the keeper does not answer", op=op) from error
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeUnavailable(f"the keeper cannot be reached: {error}", op=op) from error

    async def close(self) -> None:
        """Let go of the connection; the keeper goes on. Repeatable."""
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    async def _ask_again(self, op: str, told: Mapping[str, object]) -> Answer:
        """Ask, and where the keeper died over it, ask the next one: all it is asked may be repeated."""
        try:
            return await self._exchange(op, told)
        except ConnectionError:
            return await self._exchange(op, told)

    async def _exchange(self, op: str, told: Mapping[str, object]) -> Answer:
        writer = await self._open()
        self._number += 1
        number = self._number
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if writer.is_closing():  # it broke, and `_listen` is yet to hear of it; uvloop refuses to write to it
                raise ConnectionResetError("the keeper went away")
            writer.write(msgspec.json.encode({"id": number, "op": op, **told}) + b"\n")
            await writer.drain()
            return await future
        except ConnectionError:
            self._drop(writer)
            raise
        finally:
            self._waiting.pop(number, None)

    async def _open(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is None:
                reader, self._writer = await self._reach()
                self._listening = asyncio.create_task(self._listen(reader, self._writer))
            return self._writer

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the keeper, which is started where it does not run."""
        with contextlib.suppress(OSError):
            return await asyncio.open_unix_connection(self._path, limit=LINE)
        await asyncio.to_thread(self._start)
        deadline = asyncio.get_running_loop().time() + START_WITHIN
        while True:
            try:
                return await asyncio.open_unix_connection(self._path, limit=LINE)
            except OSError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(STEP)

    def _start(self) -> None:
        """Start a keeper. Where one runs already, the new one ends by itself."""
        (self._data / "keeper").mkdir(mode=0o700, parents=True, exist_ok=True)
        claim(self._run)
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", boot.code("main"), boot.ROOT, str(self._data), str(self._run)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
            timeout=START_WITHIN,
        )

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer: Answer = msgspec.json.decode(line)
                future = self._waiting.pop(answer["id"], None)
                if future is None or future.done():
                    continue
                if "error" in answer:
                    future.set_exception(RuntimeUnavailable(str(answer["error"])))
                else:
                    future.set_result(answer["ok"])
        except (OSError, ValueError, msgspec.DecodeError):
            pass
        finally:
            self._drop(writer)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        """Let go of a connection, and tell those who wait on it. Repeatable."""
        writer.close()
        if self._writer is not writer:
            return
        self._writer = None
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the keeper went away"))
                future.exception()  # whoever asked may be gone by now, which is no news
