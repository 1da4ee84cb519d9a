"""The log's lines about requests: gathered for a moment, and written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from trivium.base.clock import Clock
from trivium.server.logs import ProxyLine

_DELAY: Final = 0.1  # seconds for which lines are gathered
_LONGEST_PATH: Final = 512  # bytes of a path in the log

_Entry = tuple[str, bytes, int, str | None, float, float, int, int]


class RequestLog:
    """Takes note of requests as they end. `write` writes lines; None: nobody wants them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, write: Callable[..., None] | None) -> None:
        self._loop = loop
        self._clock = clock
        self._write = write
        self._pending: list[_Entry] = []

    def add(
        self,
        method: str,
        target: bytes,
        status: int,
        *,
        notebook: str | None,
        began: float,
        ended: float,
        received: int,
        sent: int,
    ) -> None:
        """Note a request that `began` and `ended` by the loop's clock, with the bytes of its body and its answer's.

        Of the target only the path is logged, never the query, which may hold secrets.
        """
        if self._write is None:
            return
        if not self._pending:
            self._loop.call_later(_DELAY, self.flush)
        self._pending.append((method, target, status, notebook, began, ended, received, sent))

    def flush(self) -> None:
        """Write what was gathered."""
        if self._write is None or not self._pending:
            return
        epoch = self._clock.now().timestamp() - self._loop.time()  # what the loop's clock counts from
        self._write(
            *(
                ProxyLine(
                    method=method,
                    path=target.partition(b"?")[0][:_LONGEST_PATH].decode("latin-1"),
                    status=status,
                    notebook=notebook,
                    ms=int((ended - began) * 10_000) / 10,
                    received=received,
                    sent=sent,
                    timestamp=datetime.fromtimestamp(epoch + ended, UTC),
                )
                for method, target, status, notebook, began, ended, received, sent in self._pending
            )
        )
        self._pending.clear()
