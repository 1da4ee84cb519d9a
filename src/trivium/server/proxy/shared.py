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


_LONGEST_PATH = 512  # characters of a path in the log


class Shared:
    """The parts that every connection uses."""

    def __init__(self, access: Access, settings: ProxySettings, log: FilteringBoundLogger) -> None:
        self.access = access
        self.settings = settings
        self.log = log.bind()  # once: each binding anew costs as much as a line
        self.tell = request_log()
        self.plans = Plans()
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
        """Write the line of a request in the log, where it is wanted; never its query, which may hold secrets."""
        if self.tell is not None:
            self.tell(
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
