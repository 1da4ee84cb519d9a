"""What /metrics tells, in Prometheus's form.

Requests are counted in plain numbers by the event loop, the only thread that answers them: the library's own counters
take a lock for each of a request's several changes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
STEPS: Final = (*(str(bound) for bound in BOUNDS), "+Inf")
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class _Times:
    """How long one operation took, all in all and by bucket."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        self.buckets = [0] * len(STEPS)
        self.sum = 0.0


class Requests(Collector):
    """Requests by dialect, operation and outcome. Used by one thread."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._outcomes: dict[tuple[str, str, str], int] = {}
        self._times: dict[tuple[str, str], _Times] = {}

    def answered(self, dialect: str, operation: str, outcome: str, *, seconds: float) -> None:
        """Count one request that was answered."""
        counted = (dialect, operation, outcome)
        self._outcomes[counted] = self._outcomes.get(counted, 0) + 1
        timed = (dialect, operation)
        times = self._times.get(timed)
        if times is None:
            times = self._times[timed] = _Times()
        times.sum += seconds
        times.buckets[bisect_left(BOUNDS, seconds)] += 1

    def collect(self) -> Iterable[Metric]:
        """What has been counted since the start."""
        labels = ("dialect", "operation")
        requests = CounterMetricFamily("trivium_requests", "API requests answered.", labels=(*labels, "outcome"))
        for names, count in self._outcomes.items():
            requests.add_metric(names, count)
        seconds = HistogramMetricFamily("trivium_request_seconds", "Time to answer an API request.", labels=labels)
        for names, times in self._times.items():
            buckets = list(zip(STEPS, map(float, accumulate(times.buckets)), strict=True))
            seconds.add_metric(names, buckets, times.sum)
        in_flight = GaugeMetricFamily("trivium_requests_in_flight", "API requests that are being answered.")
        in_flight.add_metric((), self.in_flight)
        return requests, seconds, in_flight


class Metrics:
    """All that is counted, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Requests()
        registry.register(self.requests)
        ProcessCollector(registry=registry)
        self._registry = registry
        self._waits = Histogram(
            "trivium_store_wait_seconds",
            "Time that a use of the store waited for its thread.",
            ("use",),
            registry=registry,
            buckets=BOUNDS,
        )
        self._notebooks = Gauge("trivium_notebooks", "Notebooks by status.", ("status",), registry=registry)

    def store_waited(self, use: str, seconds: float) -> None:
        """Note how long a use of the store (read, search, write) waited. Safe to call from any thread."""
        self._waits.labels(use).observe(seconds)

    def exposition(self, notebooks: Mapping[str, int]) -> bytes:
        """Everything, with these numbers of notebooks by status."""
        self._notebooks.clear()
        for status, number in notebooks.items():
            self._notebooks.labels(status).set(number)
        return generate_latest(self._registry)
