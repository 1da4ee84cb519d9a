"""What all connections of a proxy have in common."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from trivium.server.logs import request_log
from trivium.server.proxy.access import Access
from trivium.server.proxy.doors import doors_of
from trivium.server.proxy.metrics import Metrics
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.upstreams import Upstreams

if TYPE_CHECKING:
    from trivium.server.proxy.connection import Connection


class Shared:
    """The parts that every connection uses."""

    def __init__(self, access: Access, settings: ProxySettings, log: FilteringBoundLogger) -> None:
        self.access = access
        self.settings = settings
        self.log = log.bind()  # once: each binding anew costs as much as a line
        self.tell = request_log()
        self.doors = doors_of(settings.host)
        self.upstreams = Upstreams(access, settings)
        self.metrics = Metrics()
        self.connections: set[Connection] = set()
        self.empty = asyncio.Event()  # set while nobody is connected
        self.empty.set()
        self.draining = False
        self.loop = asyncio.get_running_loop()
