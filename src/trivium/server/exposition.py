"""All that the process counts, in Prometheus's form: what `/metrics` answers.

Imported when it is asked for the first time, for prometheus_client is a good part of a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trivium.server.crowd import Crowding
from trivium.server.host.lease import LeaseCounts
from trivium.server.http import Metrics
from trivium.server.http.metrics import BOUNDS, Durations
from trivium.server.proxy import ProxyMetrics

STEPS: Final = (*(str(bound) for bound in BOUNDS), "+Inf")


class Counted(Collector):
    """What each part counts; `notebooks` are those that there are, by status."""

    def __init__(
        self, served: Metrics, proxy: ProxyMetrics, lease: LeaseCounts, *, notebooks: Mapping[str, int]
    ) -> None:
        self._served = served
        self._proxy = proxy
        self._lease = lease
        self._notebooks = notebooks

    def collect(self) -> Iterable[Metric]:
        """Every family of numbers."""
        yield from _served(self._served)
        lease = self._lease
        yield GaugeMetricFamily("trivium_host_held", "1: the server acts on its host, 0: it stands by.", lease.held)
        yield CounterMetricFamily("trivium_host_taken", "Times that the server took its host.", lease.taken)
        yield CounterMetricFamily("trivium_host_lost", "Times that another server took it over.", lease.lost)
        notebooks = GaugeMetricFamily("trivium_notebooks", "Notebooks by status.", labels=("status",))
        for status, number in self._notebooks.items():
            notebooks.add_metric((status,), number)
        yield notebooks
        yield from _proxied(self._proxy)
        yield from _crowded({"apis": self._served.crowding, "notebooks": self._proxy.crowding})


def registry_of(counted: Counted) -> CollectorRegistry:
    """A registry with all of it, and what the kernel knows of the process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(counted)
    return registry


def exposition(counted: Counted) -> bytes:
    """All of it as text, in version 0.0.4 of the format."""
    return generate_latest(registry_of(counted))


def _served(now: Metrics) -> Iterable[Metric]:
    labels = ("dialect", "operation")
    requests = CounterMetricFamily("trivium_requests", "API requests answered.", labels=(*labels, "outcome"))
    for names, count in now.outcomes.items():
        requests.add_metric(names, count)
    yield requests
    yield _histogram("trivium_request_seconds", "Time to answer an API request.", labels, found=now.durations.items())
    yield GaugeMetricFamily("trivium_requests_in_flight", "API requests that are being answered.", now.in_flight)
    waits = [((use,), waited) for use, waited in list(now.waits.items())]  # other threads may add a use
    help = "Time that a use of the store waited for its thread."
    yield _histogram("trivium_store_wait_seconds", help, ("use",), found=waits)


def _histogram(
    name: str, help: str, labels: Sequence[str], *, found: Iterable[tuple[Sequence[str], Durations]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, help, labels=labels)
    for names, durations in found:
        buckets = list(zip(STEPS, map(float, accumulate(durations.buckets)), strict=True))
        family.add_metric(names, buckets, durations.sum)
    return family


def _proxied(now: ProxyMetrics) -> Iterable[Metric]:
    yield GaugeMetricFamily("trivium_proxy_connections", "Clients connected to the proxy.", now.connections)
    yield GaugeMetricFamily("trivium_proxy_websockets", "WebSockets open through the proxy.", now.tunnels)
    requests = CounterMetricFamily("trivium_proxy_requests", "Requests by status.", labels=["status"])
    for status, count in sorted(now.requests.items()):
        requests.add_metric([str(status)], count)
    yield requests
    yield CounterMetricFamily("trivium_proxy_received_bytes", "Bytes of bodies from clients.", now.received)
    yield CounterMetricFamily("trivium_proxy_sent_bytes", "Bytes of bodies to clients.", now.sent)
    yield CounterMetricFamily("trivium_proxy_cut", "Connections closed for want of right.", now.cut)


def _crowded(now: Mapping[str, Crowding]) -> Iterable[Metric]:
    labels = ("listener",)
    displaced = CounterMetricFamily(
        "trivium_connections_displaced", "Idle or stalled connections closed for others.", labels=labels
    )
    refused = CounterMetricFamily("trivium_connections_refused", "Connections refused for want of room.", labels=labels)
    for listener, crowding in now.items():
        displaced.add_metric((listener,), crowding.displaced)
        refused.add_metric((listener,), crowding.refused)
    yield displaced
    yield refused
