"""What the proxy counted is what Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from trivium.server.proxy.metrics import Metrics, ProxyCollector


def test_prometheus_reads_what_was_counted() -> None:
    metrics = Metrics()
    registry = CollectorRegistry()
    registry.register(ProxyCollector(metrics))
    metrics.connections = 3
    metrics.requests[404] += 2
    metrics.sent = 5
    lines = generate_latest(registry).decode().splitlines()
    assert "trivium_proxy_connections 3.0" in lines
    assert 'trivium_proxy_requests_total{status="404"} 2.0' in lines
    assert "trivium_proxy_sent_bytes_total 5.0" in lines
