"""Requests reach the notebook and answers come back, byte for byte, on connections that go on."""

from __future__ import annotations

import pytest

from tests.contract.proxy.world import Client, Notebook, get

pytestmark = pytest.mark.usefixtures("notebook")
KEY = "Authorization: token key"


async def test_a_request_reaches_the_notebook_and_its_answer_comes_back(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/api/status?a=1", KEY))
    assert answer.status == 200
    assert answer.json()["line"] == "GET /nb/7/api/status?a=1 HTTP/1.1"
    assert notebook.requests[0].first("host") == "127.0.0.1:8801"


async def test_a_connection_serves_many_requests_and_the_notebook_sees_one_connection(
    client: Client, notebook: Notebook
) -> None:
    for number in range(5):
        assert (await client.ask(get(f"/nb/7/{number}", KEY))).status == 200
    assert notebook.connections == 1
