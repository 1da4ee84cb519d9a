"""Large bodies at the dialects themselves: nothing of them is read, or at least nothing decoded, for nobody known."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.builders import Place, place
from tests.gallery import Gallery
from tests.listening import Answer, Listener, listening
from trivium.base.units import MIB
from trivium.dialects.operation import SMALL_BODY
from trivium.dialects.scnet import ScnetDialect, ScnetSettings
from trivium.dialects.zstack import ZStackDialect, ZStackSettings
from trivium.resources import users
from trivium.resources.users import SessionKind

RPC: Final = "/zstack/api"
HOSTILE: Final = b'{"a":[' + b"1e300," * (10 * MIB // 6 - 10) + b"0]}"
PUBLIC: Final = {
    "/v3/auth/tokens": (413, ("error", "code"), 413),
    "/zstack/v1/accounts/login": (413, ("error", "code"), "SYS.1007"),
    "/api/user/v3/tokens": (200, ("code",), "10011"),
}
"""Operations that are answered without credentials, and where it stands in their answers that a body is too large."""


@pytest.fixture
def here(database_url: str) -> Iterator[Place]:
    with place(database_url) as made:
        yield made


@pytest_asyncio.fixture
async def listener(gallery: Gallery) -> AsyncIterator[Listener]:
    """All dialects behind a socket."""
    core = gallery.core
    others = ScnetDialect(core, ScnetSettings()), ZStackDialect(core, ZStackSettings())
    async with listening(gallery.dialect, *others) as listener:
        yield listener


def method(path: str) -> str:
    return "PUT" if path.startswith("/zstack/v1") else "POST"


def within(answer: Answer, names: tuple[str, ...]) -> object:
    found: Any = answer.json
    for name in names:
        found = found[name]
    return found


def session_of(gallery: Gallery) -> str:
    """A session of Alice's in ZStack."""
    token, day = uuid4().hex, timedelta(days=1)
    gallery.store.write_now(users.open_session, gallery.alice, SessionKind.ZSTACK, lifetime=day, token=token)
    return token


@pytest.mark.parametrize("path", PUBLIC)
async def test_what_takes_no_credentials_takes_no_large_body(listener: Listener, path: str) -> None:
    status, names, code = PUBLIC[path]
    client = await listener.connect()
    await client.send(f"{method(path)} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {SMALL_BODY + 1}\r\n\r\n".encode())
    answer = await client.answer()  # before any of it is sent
    assert (answer.status, within(answer, names)) == (status, code)
    assert str(SMALL_BODY) in answer.body.decode()
    padded = b'{"x":""}'.ljust(SMALL_BODY)
    assert within(await listener.ask(method(path), path, body=padded), ()) != within(answer, ())


@pytest.mark.parametrize("path", [*PUBLIC, RPC])
async def test_numbers_that_are_slow_to_read_stop_nobody(listener: Listener, path: str) -> None:
    """All ten megabytes are sent, and somebody asks meanwhile. To decode them takes msgspec alone 25 seconds."""
    began = time.thread_time()
    sender = await listener.connect()
    sending = asyncio.ensure_future(sender.ask(method(path), path, body=HOSTILE))
    other = await listener.connect()
    asked = 0
    while not sending.done():
        assert (await other.ask("GET", "/healthz")).status == 200
        asked += 1
    assert asked > 1
    assert (await sending).json
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/workspaces", {}, 401),
        ("/v1/workspaces", {"x-auth-token": "tma-nobody"}, 401),
        ("/zstack/v1/ai/models", {}, 400),
        ("/zstack/v1/ai/models", {"authorization": f"OAuth {'0' * 32}"}, 503),
        ("/ai/openapi/v2/notebook/actions/create", {"token": "nobody"}, 200),
    ],
)
async def test_of_who_is_not_let_in_nothing_large_is_read(
    listener: Listener, gallery: Gallery, path: str, headers: dict[str, str], status: int
) -> None:
    project = gallery.path(gallery.dataset()).split("/")[2]
    path = path.replace("/v1/", f"/v1/{project}/") if path.startswith("/v1/") else path
    small = await listener.ask("POST", path, headers, b"{}")
    client = await listener.connect()
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\n{more}Content-Length: {10 * MIB}\r\n\r\n".encode())
    large = await client.answer()
    assert (large.status, small.status) == (status, status)
    assert {**large.json, "request_id": ""} == {**small.json, "request_id": ""}


async def test_who_is_let_in_sends_ten_megabytes(listener: Listener, gallery: Gallery) -> None:
    body = b'{"name":"room-1"}'.ljust(10 * MIB)
    project = gallery.path(gallery.dataset()).split("/")[2]
    answer = await listener.ask("POST", f"/v1/{project}/workspaces", gallery.token(gallery.alice), body)
    assert answer.status == 200, answer.body


async def test_a_large_message_is_decoded_for_who_has_a_session(listener: Listener, gallery: Gallery) -> None:
    def message(session: str, more: str = "") -> bytes:
        given = {"pad": "x" * SMALL_BODY, "session": {"uuid": session}, "conditions": []}
        return json.dumps({"org.zstack.APIQueryAccountMsg": given}).encode() + more.encode()

    async def said(body: bytes) -> str:
        return (await listener.ask("POST", RPC, body=body)).json["result"]

    good = session_of(gallery)
    assert '"success":true' in await said(message(good))
    assert '"code":"SYS.1008"' in await said(message(good, "}"))
    for session in ("", "0" * 32):
        refused = await said(message(session))
        assert '"success":false' in refused
        assert await said(message(session, "}")) == refused  # nobody has seen that it is no JSON


@pytest.mark.parametrize("size", [SMALL_BODY, SMALL_BODY + 1])
async def test_a_view_decodes_a_large_body_only_for_who_is_let_in(
    listener: Listener, gallery: Gallery, size: int
) -> None:
    """A signature is of the body, too, so it is read; it is not decoded before the signature is seen to be right."""
    project = gallery.path(gallery.dataset()).split("/")[2]
    path = f"/v1/{project}/workspaces"
    stamp = gallery.here.clock.now().strftime("%Y%m%dT%H%M%SZ")
    signed = f"SDK-HMAC-SHA256 Access=NOBODY, SignedHeaders=x-sdk-date, Signature={'0' * 64}"
    headers = {"authorization": signed, "x-sdk-date": stamp}
    called: set[str] = set()
    sys.setprofile(lambda frame, _event, _about: called.add(frame.f_code.co_name))
    try:
        refused = await listener.ask("GET", path, headers, b"{" * size)
    finally:
        sys.setprofile(None)
    assert refused.json["error_code"] == "APIGW.0301"
    assert ("decode_body" in called) == (size <= SMALL_BODY)
    answer = await listener.ask("GET", path, gallery.token(gallery.alice), b"{" * size)
    assert (answer.status, answer.json["error_code"]) == (400, "ModelArts.6400")
