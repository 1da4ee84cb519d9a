"""Who gets in, how, and what a browser is handed."""

from __future__ import annotations

import pytest

from tests.contract.proxy.world import JUPYTER, KEY, Client, Notebook, Rooms, connected, get, proxied
from trivium.base.errors import Unavailable
from trivium.server.proxy import CredentialSource, Endpoint, Kind, Proxy, ProxySettings

COOKIE = "Cookie: x=y; trivium-nb-7=grant-of-ann"
BROWSER = "Accept: text/html,*/*;q=0.8"


async def test_a_link_is_exchanged_for_a_cookie_and_a_clean_address(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/lab?a=b&token=ticket&c", BROWSER))
    assert answer.status == 302
    assert answer.first("location") == "/nb/7/lab?a=b&c"
    assert answer.all("set-cookie") == ["trivium-nb-7=grant-of-ann; Path=/nb/7/; HttpOnly; SameSite=Lax"]
    assert notebook.requests == []
    assert (await client.ask(get("/nb/7/lab?a=b&c", BROWSER, COOKIE))).status == 200
    assert notebook.requests[0].all("cookie") == ["x=y"]


async def test_a_link_to_a_service_gets_a_cookie_for_the_service_only(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/svc/7/?token=ticket", BROWSER))
    assert answer.first("location") == "/svc/7/"
    assert answer.all("set-cookie") == ["trivium-nb-7=grant-of-ann; Path=/svc/7/; HttpOnly; SameSite=Lax"]
    assert notebook.requests == []


async def test_a_program_uses_a_link_without_a_detour(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/api?token=ticket&a=b", "Accept: application/json"))
    assert answer.status == 200
    assert answer.all("set-cookie") == []
    assert notebook.requests[0].target == "/nb/7/api?a=b"


@pytest.mark.parametrize("name", ["Referer", "REFERER"])
async def test_a_token_in_the_address_that_somebody_came_from_stays_here(
    client: Client, notebook: Notebook, name: str
) -> None:
    for _ in range(2):  # the second time by the fast path
        await client.ask(get("/nb/7/api", KEY, f"{name}: http://127.0.0.1:8801/nb/8/lab?a=b&tok%65n=ticket-of-bob"))
    await client.ask(get("/nb/7/api", KEY, f"{name}:http://127.0.0.1:8801/nb/7/lab?a=b"))
    assert [request.all("referer") for request in notebook.requests] == [
        ["http://127.0.0.1:8801/nb/8/lab"],
        ["http://127.0.0.1:8801/nb/8/lab"],
        ["http://127.0.0.1:8801/nb/7/lab?a=b"],
    ]


@pytest.mark.parametrize("field", ["Authorization: token key", "Authorization: Bearer key"])
async def test_a_token_in_a_field_lets_in_for_one_request(client: Client, notebook: Notebook, field: str) -> None:
    assert (await client.ask(get("/nb/7/", BROWSER, field))).status == 200
    assert (await client.ask(get("/nb/7/", BROWSER))).status == 401
    assert len(notebook.requests) == 1


async def test_a_stale_link_does_not_shut_out_who_has_a_cookie(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/lab?token=stale", BROWSER, COOKIE))
    assert (answer.status, answer.first("location"), answer.all("set-cookie")) == (302, "/nb/7/lab", [])
    assert (await client.ask(get("/nb/7/lab?token=stale", BROWSER))).status == 401
    assert notebook.requests == []


async def test_a_cookie_that_was_put_in_the_way_does_not_shut_out(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7/", "Cookie: trivium-nb-7=evil; trivium-nb-7=grant-of-ann"))
    assert answer.status == 200
    assert notebook.requests[0].all("cookie") == []


async def test_one_notebooks_cookie_does_not_open_another(client: Client, rooms: Rooms, notebook: Notebook) -> None:
    other = Endpoint(notebook="8", kind=Kind.JUPYTER)
    rooms.addresses[other] = rooms.addresses[JUPYTER]
    rooms.let("bob", other, source=CredentialSource.COOKIE, secret="grant-of-bob")
    assert (await client.ask(get("/nb/8/", COOKIE))).status == 401
    assert (await client.ask(get("/nb/8/", "Cookie: trivium-nb-8=grant-of-ann"))).status == 401
    assert (await client.ask(get("/nb/8/", "Cookie: trivium-nb-8=grant-of-bob"))).status == 200
    assert len(notebook.requests) == 1


async def test_the_slash_after_the_id_is_set(client: Client, notebook: Notebook) -> None:
    answer = await client.ask(get("/nb/7?token=ticket", BROWSER))
    assert (answer.status, answer.first("location")) == (307, "/nb/7/?token=ticket")
    assert notebook.requests == []


async def test_what_is_not_there_is_not_found(client: Client, notebook: Notebook) -> None:
    page = await client.ask(get("/nb/9/", KEY, BROWSER))
    assert page.status == 404
    assert (page.first("content-type") or "").startswith("text/html")
    told = await client.ask(get("/elsewhere", "Accept: application/json"))
    assert (told.status, told.json()["code"]) == (404, "proxy.unknown")
    assert notebook.requests == []


async def test_a_notebook_that_does_not_run_says_its_state(client: Client, rooms: Rooms, notebook: Notebook) -> None:
    rooms.stopped.add("7")
    told = await client.ask(get("/nb/7/", KEY, "Accept: application/json"))
    assert (told.status, told.json()["state"]) == (503, "stopped")
    assert told.first("retry-after")
    stale = await client.ask(get("/nb/7/?token=stale", COOKIE, BROWSER))
    assert stale.status == 503
    assert notebook.requests == []


async def test_when_nobody_can_tell_the_door_stays_shut(
    running: tuple[Proxy, int], rooms: Rooms, notebook: Notebook
) -> None:
    rooms.failure = Unavailable("the database is away")
    async with connected(running[1]) as client:
        assert (await client.ask(get("/nb/7/", KEY))).status == 503
        rooms.failure = RuntimeError("a secret detail")
        answer = await client.ask(get("/nb/7/", KEY))
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert await client.is_closed()
    rooms.failure = None
    async with connected(running[1]) as client:
        assert (await client.ask(get("/nb/7/", KEY))).status == 200
    assert len(notebook.requests) == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([COOKIE], 200),
        ([COOKIE, "Origin: http://127.0.0.1:8801", "Sec-Fetch-Site: same-origin"], 200),
        ([COOKIE, "Origin: http://evil.example"], 403),
        ([COOKIE, "Origin: null"], 403),
        ([COOKIE, "Origin: http://127.0.0.1:8800"], 403),
        ([COOKIE, "Sec-Fetch-Site: cross-site"], 403),
        ([COOKIE, "Sec-Fetch-Site: same-site"], 403),
        ([COOKIE, "Authorization: token wrong", "Origin: http://evil.example"], 403),
        ([KEY], 200),
        ([KEY, "Origin: http://evil.example"], 200),
    ],
)
async def test_other_sites_cannot_use_a_cookie(
    client: Client, notebook: Notebook, fields: list[str], status: int
) -> None:
    answer = await client.ask(get("/nb/7/api", *fields, "Content-Length: 0", method="POST"))
    assert answer.status == status
    assert len(notebook.requests) == (status == 200)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([COOKIE, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"], 403),
        ([COOKIE, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"], 403),
        ([COOKIE, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"], 403),
        ([COOKIE, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 200),
        ([COOKIE, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 200),
        ([COOKIE, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"], 200),
        ([COOKIE, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 200),
        ([KEY, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"], 200),
        ([COOKIE], 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_page_elsewhere_includes_nothing_that_a_cookie_opens(
    rooms: Rooms, notebook: Notebook, method: str, fields: list[str], status: int
) -> None:
    async with proxied(rooms, ProxySettings(host="{id}.nb.example")) as (_, port), connected(port) as client:
        for _ in range(2):  # the second time by the fast path, where that is taken
            answer = await client.ask(get("/nb/7/files/x.js", *fields, host="7.nb.example", method=method))
            assert answer.status == status
    assert len(notebook.requests) == 2 * (status == 200)


@pytest.mark.parametrize("host", [None, "{id}.nb.example"])
async def test_a_browser_hands_what_a_cookie_opens_to_no_page_elsewhere(
    rooms: Rooms, notebook: Notebook, host: str | None
) -> None:
    notebook.extra = b"Cross-Origin-Resource-Policy: cross-origin\r\n"
    async with proxied(rooms, ProxySettings(host=host)) as (_, port), connected(port) as client:
        for field, policy in ((COOKIE, "same-origin"), (KEY, "cross-origin")) * 2:
            answer = await client.ask(get("/nb/7/files/x.js", field, host="7.nb.example"))
            assert answer.all("cross-origin-resource-policy") == [policy]


async def test_a_notebook_cannot_set_our_cookies_nor_anothers(client: Client, notebook: Notebook) -> None:
    notebook.extra = (
        b"Set-Cookie: trivium-nb-8=evil; Path=/nb/8/\r\n"
        b"Set-Cookie: _xsrf=x; Path=/; Domain=.example\r\n"
        b"Alt-Svc: h2=evil\r\n"
    )
    answer = await client.ask(get("/nb/7/", KEY))
    assert answer.all("set-cookie") == ["_xsrf=x; Path=/nb/7/"]
    assert answer.first("alt-svc") is None


async def test_a_host_of_its_own_leads_to_each_notebook(rooms: Rooms, notebook: Notebook) -> None:
    settings = ProxySettings(host="{id}.nb.example", secure=True)
    async with proxied(rooms, settings) as (_, port), connected(port) as client:
        host = "7.nb.example:8801"
        moved = await client.ask(get("/?token=ticket", BROWSER, host=host))
        assert (moved.status, moved.first("location")) == (307, "/nb/7/?token=ticket")
        answer = await client.ask(get("/nb/7/?token=ticket", BROWSER, host=host))
        assert answer.all("set-cookie") == ["trivium-nb-7=grant-of-ann; Path=/nb/7/; HttpOnly; SameSite=Lax; Secure"]
        assert (await client.ask(get("/nb/7/x", COOKIE, host=host))).status == 200
        assert (await client.ask(get("/x", KEY, host="7-svc.nb.example"))).status == 200
        assert [request.target for request in notebook.requests] == ["/nb/7/x", "/x"]
        assert notebook.requests[0].first("x-forwarded-proto") == "https"
        assert (await client.ask(get("/nb/7/", KEY, host="127.0.0.1"))).status == 404
        assert (await client.ask(get("/nb/7/", KEY, host="8.nb.example"))).status == 404


async def test_a_clean_address_never_leads_to_another_host(rooms: Rooms, notebook: Notebook) -> None:
    async with proxied(rooms, ProxySettings(host="{id}.nb.example")) as (_, port), connected(port) as client:
        for path in ("//evil.example/", "/\\evil.example/", "/\\/evil.example/"):
            answer = await client.ask(get(f"{path}?token=ticket", BROWSER, host="7-svc.nb.example"))
            assert (answer.status, answer.first("location")) == (302, "/evil.example/")
        assert notebook.requests == []
