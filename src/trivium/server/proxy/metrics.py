"""What the proxy counts; `server/exposition.py` tells it in Prometheus's form."""

from __future__ import annotations

from collections import Counter

from trivium.server.crowd import Crowding


class Metrics:
    """Plain numbers, changed by the event loop that the proxy runs in."""

    def __init__(self) -> None:
        self.connections = 0  # clients connected now
        self.tunnels = 0  # WebSockets open now
        self.requests: Counter[int] = Counter()  # answered, by status; 0: nobody was left to answer
        self.received = 0  # bytes of bodies and WebSockets, from clients
        self.sent = 0  # the same, to clients
        self.crowding = Crowding()
        self.cut = 0  # connections closed because the notebook stopped or the right was withdrawn
