"""What all connections of a proxy have in common."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from trivium.server.logs import ProxyLine, request_log
from trivium.server.proxy.access import Access
from trivium.server.proxy.doors import doors_of
from trivium.server.proxy.metrics import Metrics
from trivium.server.proxy.plain import Plans
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.upstreams import Upstreams

if TYPE_CHECKING:
    from trivium.server.proxy.connection import Connection


_SOON = 0.1  # seconds in which lines are gathered, to be written at once
_LONGEST_PATH = 512  # characters of a path in the log


class Shared:
    """The parts that every connection uses."""

    def __init__(self, access: Access, settings: ProxySettings, log: FilteringBoundLogger) -> None:
        self.access = access
        self.settings = settings
        self.log = log.bind()  # once: each binding anew costs as much as a line
        self.tell = request_log()
        self.plans = Plans()
        self._untold: list[ProxyLine] = []
        self.doors = doors_of(settings.host)
        self.upstreams = Upstreams(access, settings)
        self.metrics = Metrics()
        self.connections: set[Connection] = set()
        self.empty = asyncio.Event()  # set while nobody is connected
        self.empty.set()
        self.draining = False
        self.loop = asyncio.get_running_loop()

    def tell_request(
        self,
        method: str,
        path: bytes,
        status: int,
        *,
        notebook: str | None,
        began: float,
        received: int = 0,
        sent: int = 0,
    ) -> None:
        """Have the line of a request in the log soon, where it is wanted; never its query, which may hold secrets."""
        if self.tell is not None:
            if not self._untold:
                self.loop.call_later(_SOON, self.tell_now)
            self._untold.append(
                ProxyLine(
                    method=method,
                    path=path.partition(b"?")[0][:_LONGEST_PATH].decode("latin-1"),
                    status=status,
                    notebook=notebook,
                    ms=round((self.loop.time() - began) * 1000, 1),
                    received=received,
                    sent=sent,
                    timestamp=datetime.now(UTC),
                )
            )

    def tell_now(self) -> None:
        """Write the lines that wait to be written."""
        if self.tell is not None and self._untold:
            self.tell(*self._untold)
            self._untold.clear()
