"""A server that anybody on the machine crowds with connections that say nothing, or do not listen."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.installation import small
from tests.serving import Server, serving
from tests.waiting import until
from trivium.server.crowd import room

DESCRIPTORS = 400  # of a server that is crowded soon
FULL = room(DESCRIPTORS)


@contextmanager
def few_descriptors() -> Iterator[None]:
    """What is started meanwhile may have few descriptors."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        with few_descriptors():
            server = stack.enter_context(
                serving(tmp_path / "data", trivium=small(), environment={"TRIVIUM_LOG__FORMAT": "json"})
            )
        yield server


def lines(server: Server) -> list[dict[str, Any]]:
    """What the server logged."""
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def crowd(stack: ExitStack, url: str, number: int) -> None:
    """Open so many connections, and say nothing on them."""
    place = urlsplit(url)
    for _ in range(number):
        stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=10))


def deafen(stack: ExitStack, url: str, number: int) -> None:
    """Open so many connections, ask more on each than a kernel keeps of the answers, and read none."""
    asked = b"GET /nb/1/ HTTP/1.1\r\nHost: a\r\n\r\n" * 200
    for _ in range(number):
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 200)
        client.settimeout(10)
        client.connect(("127.0.0.1", urlsplit(url).port))
        client.sendall(asked)


def status(url: str) -> int:
    """Of an answer."""
    return httpx.get(url, trust_env=False).status_code


def is_ready(server: Server) -> bool:
    return httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200


def open_descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_silent_clients_of_both_ports_shut_nobody_out(server: Server) -> None:
    until(lambda: is_ready(server), within=60, what="a server that is ready")
    with ExitStack() as stack:
        for _ in range(3):
            crowd(stack, server.proxy_url, 2 * FULL.notebooks)
            crowd(stack, server.url, 2 * FULL.apis)
            assert is_ready(server)
            assert httpx.get(f"{server.proxy_url}/nb/1/", trust_env=False).status_code in {401, 404}
            until(lambda: open_descriptors(server) < DESCRIPTORS * 3 // 4, what="descriptors that are left")
        counted = httpx.get(f"{server.url}/metrics", trust_env=False).text
    assert 'trivium_connections_refused_total{listener="notebooks"} 0.0' in counted
    told = {line["listener"]: line for line in lines(server) if line["event"] == "listener.full"}
    assert {name: (line["level"], line["most"]) for name, line in told.items()} == {
        "apis": ("warning", FULL.apis),
        "notebooks": ("warning", FULL.notebooks),
    }
    assert not [line for line in lines(server) if line["event"] == "store.seen" and not line["readable"]]


def test_clients_of_both_ports_who_ask_and_never_read_shut_nobody_out(server: Server) -> None:
    until(lambda: is_ready(server), within=60, what="a server that is ready")
    with ExitStack() as stack:
        deafen(stack, server.url, FULL.apis)
        deafen(stack, server.proxy_url, FULL.notebooks)
        for _ in range(3):
            until(lambda: status(f"{server.url}/livez") == 404, what="an answer of the APIs' port")
            until(lambda: status(f"{server.proxy_url}/nb/1/") in {401, 404}, what="an answer of the notebooks' port")
        counted = httpx.get(f"{server.url}/metrics", trust_env=False).text
    assert 'trivium_connections_displaced_total{listener="apis"} 0.0' not in counted
    assert 'trivium_connections_displaced_total{listener="notebooks"} 0.0' not in counted
    assert not [line for line in lines(server) if line["level"] == "error"]
