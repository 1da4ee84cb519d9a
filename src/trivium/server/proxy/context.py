"""What all connections of a proxy share: its settings, the connections to notebooks, the counters and the logs."""

from __future__ import annotations

import asyncio
from collections import Counter

from structlog.typing import FilteringBoundLogger

from trivium.base.clock import Clock
from trivium.server.crowd import Crowd
from trivium.server.logs import request_log
from trivium.server.proxy.access import Access
from trivium.server.proxy.addresses import scheme_of
from trivium.server.proxy.metrics import Metrics
from trivium.server.proxy.plans import PlanCache
from trivium.server.proxy.request_log import RequestLog
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.upstreams import Upstreams


class Context:
    """The parts of a proxy that its connections and requests use. Knows nothing of either."""

    def __init__(self, access: Access, settings: ProxySettings, *, log: FilteringBoundLogger, clock: Clock) -> None:
        self.access = access
        self.settings = settings
        self.log = log.bind()  # once: each binding anew costs as much as a line
        self.loop = asyncio.get_running_loop()
        self.request_log = RequestLog(self.loop, clock, request_log())
        self.addresses = scheme_of(settings.host)
        self.plans = PlanCache()
        self.upstreams = Upstreams(access, settings)
        self.metrics = Metrics()
        self.crowd = Crowd(
            "notebooks",
            settings.connections,
            counts=self.metrics.crowding,
            log=self.log,
            now=self.loop.time,
            stalled=settings.stalled.total_seconds(),
        )
        self.under_way: Counter[str] = Counter()  # requests and WebSockets by notebook, but for those of the fast path
        self.draining = False  # the proxy stops: no connection is kept for another request

    def has_its_share(self, notebook: str) -> bool:
        """Whether a notebook has a quarter of all clients already, when there is no more than half of the room left.

        Who is busy gives way to nobody, and a notebook can keep its own clients busy for as long as it likes.
        """
        return self.crowd.is_half_full and self.under_way[notebook] >= self.settings.connections // 4

    def begun(self, notebook: str) -> None:
        """A request to a notebook is under way."""
        self.under_way[notebook] += 1

    def ended(self, notebook: str) -> None:
        """It is no more."""
        self.under_way[notebook] -= 1
        if not self.under_way[notebook]:
            del self.under_way[notebook]
