"""The listener's own paths, over real sockets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.listening import listening
from tests.tongues import Gate, Tongue, fail, operation
from trivium.server.http import Part

TONGUE = Tongue(
    "tongue", (operation("say", "GET", "/t/say"), operation("fail", "GET", "/t/fail")), {"fail": fail}, prefixes=("/t",)
)


async def test_a_process_that_lives_says_so() -> None:
    async with listening() as listener:
        answer = await listener.ask("GET", "/healthz")
        assert (answer.status, answer.json) == (200, {"status": "ok"})
        assert answer.header("x-request-id")


async def test_it_is_ready_when_every_part_is() -> None:
    async with listening() as listener:
        answer = await listener.ask("GET", "/readyz")
    assert (answer.status, answer.json) == (200, {"ready": True, "parts": {"store": "ready", "proxy": "ready"}})


async def test_what_is_not_ready_is_named_with_its_reason() -> None:
    async def readiness() -> tuple[Part, ...]:
        return (Part(name="store", ready=False, reason="the disk is full"), Part(name="proxy", ready=True))

    async with listening(readiness=readiness) as listener:
        answer = await listener.ask("GET", "/readyz")
    assert (answer.status, answer.json["ready"]) == (503, False)
    assert answer.json["parts"] == {"store": "the disk is full", "proxy": "ready"}


async def test_the_version_is_told() -> None:
    async with listening() as listener:
        assert (await listener.ask("GET", "/version")).json == {"name": "trivium", "version": "1.2.3"}


async def test_the_first_page_says_what_this_is_to_programs_and_to_people() -> None:
    async with listening(TONGUE) as listener:
        told = (await listener.ask("GET", "/")).json
        page = await listener.ask("GET", "/", {"Accept": "text/html,*/*"})
    assert (told["name"], told["dialects"]) == ("trivium", {"tongue": ["/t"]})
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert b"tongue" in page.body


@pytest.mark.parametrize("path", ["/nothing", "/healthz/x", "/%00", "/../t/say", "/%2e%2e/"])
async def test_where_nothing_stands_json_says_so(path: str) -> None:
    async with listening(TONGUE) as listener:
        answer = await listener.ask("GET", path)
    assert (answer.status, answer.json["error"]) == (404, "not_found")


async def test_the_platforms_paths_are_only_read() -> None:
    async with listening() as listener:
        assert (await listener.ask("HEAD", "/healthz")).status == 200
        answer = await listener.ask("POST", "/healthz", body=b"{}")
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")


async def test_requests_are_counted_by_dialect_operation_and_outcome() -> None:
    async with listening(TONGUE) as listener:
        for path in ("/t/say", "/t/say", "/t/fail", "/t/nowhere"):
            await listener.ask("GET", path)
        text = (await listener.ask("GET", "/metrics")).body.decode()
    assert 'trivium_requests_total{dialect="tongue",operation="say",outcome="0"} 2.0' in text
    assert 'trivium_requests_total{dialect="tongue",operation="fail",outcome="fault"} 1.0' in text
    assert 'trivium_requests_total{dialect="tongue",operation="-",outcome="no-such-path"} 1.0' in text
    assert 'trivium_request_seconds_bucket{dialect="tongue",le="+Inf",operation="say"} 2.0' in text
    assert 'trivium_request_seconds_count{dialect="tongue",operation="say"} 2.0' in text
    assert "trivium_requests_in_flight 1.0" in text
    assert 'trivium_notebooks{status="running"} 2.0' in text
    assert "process_resident_memory_bytes" in text


async def test_a_request_that_is_being_answered_is_in_flight() -> None:
    gate = Gate()
    tongue = Tongue("tongue", (operation("wait", "GET", "/t/wait"),), {"wait": gate})
    async with listening(tongue) as listener:
        client = await listener.connect()
        await client.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        assert b"trivium_requests_in_flight 2.0" in (await listener.ask("GET", "/metrics")).body
        gate.open.set()
        await client.answer()


async def test_the_other_figures_are_told_when_the_notebooks_cannot_be_counted() -> None:
    async def notebooks() -> Mapping[str, int]:
        raise ConnectionError

    async with listening(notebooks=notebooks) as listener:
        answer = await listener.ask("GET", "/metrics")
        assert (answer.status, b"process_cpu_seconds" in answer.body) == (200, True)
        assert b"trivium_notebooks{" not in answer.body
        assert listener.logged()[0]["level"] == "warning"
