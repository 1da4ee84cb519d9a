"""What was counted is what Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from trivium.server.exposition import Counted, exposition
from trivium.server.host.lease import LeaseCounts
from trivium.server.http import Metrics
from trivium.server.proxy import ProxyMetrics


def samples(
    served: Metrics | None = None,
    proxy: ProxyMetrics | None = None,
    lease: LeaseCounts | None = None,
    **notebooks: int,
) -> dict[tuple[str, tuple[str, ...]], float]:
    counted = Counted(served or Metrics(), proxy or ProxyMetrics(), lease or LeaseCounts(), notebooks=notebooks)
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(exposition(counted).decode())
        for sample in family.samples
    }


def test_times_fall_into_buckets_that_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.0001, 0.0005, 0.003, 0.2, 60.0):
        metrics.answered("scnet", "List", "0", seconds=seconds)
    found = samples(metrics)
    bucket = "trivium_request_seconds_bucket"
    assert [found[bucket, tuple(sorted((step, "List", "scnet")))] for step in ("0.0005", "0.005", "0.25", "+Inf")] == [
        2, 3, 4, 5,
    ]  # fmt: skip
    assert found["trivium_request_seconds_count", ("List", "scnet")] == 5
    assert found["trivium_request_seconds_sum", ("List", "scnet")] == 60.2036


def test_requests_are_told_by_outcome() -> None:
    metrics = Metrics()
    for outcome in ("0", "10004", "0"):
        metrics.answered("scnet", "List", outcome, seconds=0.1)
    found = samples(metrics)
    assert found["trivium_requests_total", ("0", "List", "scnet")] == 2
    assert found["trivium_requests_total", ("10004", "List", "scnet")] == 1


def test_a_status_that_no_notebook_has_any_more_is_not_told() -> None:
    assert samples(running=2, failed=1)["trivium_notebooks", ("failed",)] == 1
    assert ("trivium_notebooks", ("failed",)) not in samples(running=3)


def test_waits_for_the_store_are_told_by_use() -> None:
    metrics = Metrics()
    metrics.store_waited("write", 0.02)
    found = samples(metrics)
    assert found["trivium_store_wait_seconds_count", ("write",)] == 1
    assert found["trivium_store_wait_seconds_bucket", ("0.01", "write")] == 0
    assert found["trivium_store_wait_seconds_bucket", ("0.025", "write")] == 1


def test_what_the_proxy_counted_is_told() -> None:
    proxy = ProxyMetrics()
    proxy.connections = 3
    proxy.requests[404] += 2
    proxy.sent = 5
    found = samples(proxy=proxy)
    assert found["trivium_proxy_connections", ()] == 3
    assert found["trivium_proxy_requests_total", ("404",)] == 2
    assert found["trivium_proxy_sent_bytes_total", ()] == 5


def test_who_leads_the_host_is_told() -> None:
    lease = LeaseCounts()
    lease.held, lease.taken = 1, 2
    found = samples(lease=lease)
    assert (found["trivium_host_held", ()], found["trivium_host_taken_total", ()]) == (1, 2)
