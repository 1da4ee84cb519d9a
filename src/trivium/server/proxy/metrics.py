"""What the proxy counts, and how Prometheus reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics:
    """Plain numbers, changed by the event loop that the proxy runs in."""

    def __init__(self) -> None:
        self.connections = 0  # clients connected now
        self.tunnels = 0  # WebSockets open now
        self.requests: Counter[int] = Counter()  # answered, by status; 0: nobody was left to answer
        self.received = 0  # bytes of bodies and WebSockets, from clients
        self.sent = 0  # the same, to clients
        self.cut = 0  # connections closed because the notebook stopped or the right was withdrawn


class ProxyCollector(Collector):
    """Reads `Metrics` when Prometheus asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The families of numbers."""
        now = self._metrics
        yield GaugeMetricFamily("trivium_proxy_connections", "Clients connected to the proxy.", now.connections)
        yield GaugeMetricFamily("trivium_proxy_websockets", "WebSockets open through the proxy.", now.tunnels)
        requests = CounterMetricFamily("trivium_proxy_requests", "Requests by status.", labels=["status"])
        for status, count in sorted(now.requests.items()):
            requests.add_metric([str(status)], count)
        yield requests
        yield CounterMetricFamily("trivium_proxy_received_bytes", "Bytes of bodies from clients.", now.received)
        yield CounterMetricFamily("trivium_proxy_sent_bytes", "Bytes of bodies to clients.", now.sent)
        yield CounterMetricFamily("trivium_proxy_cut", "Connections closed for want of right.", now.cut)
