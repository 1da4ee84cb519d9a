from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from trivium.server.http.metrics import Metrics


def samples(metrics: Metrics, notebooks: dict[str, int] | None = None) -> dict[tuple[str, tuple[str, ...]], float]:
    text = metrics.exposition(notebooks or {}).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_times_fall_into_buckets_that_add_up() -> None:
    metrics = Metrics(CollectorRegistry())
    for seconds in (0.0001, 0.0005, 0.003, 0.2, 60.0):
        metrics.requests.answered("scnet", "List", "0", seconds=seconds)
    found = samples(metrics)
    bucket = "trivium_request_seconds_bucket"
    assert [found[bucket, tuple(sorted((step, "List", "scnet")))] for step in ("0.0005", "0.005", "0.25", "+Inf")] == [
        2, 3, 4, 5,
    ]  # fmt: skip
    assert found["trivium_request_seconds_count", ("List", "scnet")] == 5
    assert found["trivium_request_seconds_sum", ("List", "scnet")] == 60.2036


def test_a_status_that_no_notebook_has_any_more_is_not_told() -> None:
    metrics = Metrics(CollectorRegistry())
    assert samples(metrics, {"running": 2, "failed": 1})["trivium_notebooks", ("failed",)] == 1
    assert ("trivium_notebooks", ("failed",)) not in samples(metrics, {"running": 3})


def test_waits_for_the_store_are_told_by_use() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.store_waited("write", 0.02)
    assert samples(metrics)["trivium_store_wait_seconds_count", ("write",)] == 1


def test_two_processes_worth_of_metrics_do_not_meet() -> None:
    first, second = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    first.requests.answered("scnet", "List", "0", seconds=0.1)
    assert ("trivium_requests_total", ("0", "List", "scnet")) not in samples(second)
