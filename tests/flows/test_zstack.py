"""ZStack's two doors on a server as an operator starts it, with a restart in between."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.installation import small
from tests.serving import Server, serving

PASSWORD = "correct horse"
DIGEST = hashlib.sha512(PASSWORD.encode()).hexdigest()
LOGIN = {"logInByAccount": {"accountName": "admin", "password": DIGEST}}

pytestmark = pytest.mark.timeout(300)


def ask(server: Server, method: str, path: str, session: str = "", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"OAuth {session}"} if session else {}
    return httpx.request(method, f"{server.url}/zstack{path}", headers=headers, trust_env=False, timeout=30, **more)


def call(server: Server, name: str, message: dict[str, Any]) -> Any:
    answer = ask(server, "POST", "/api/", json={f"org.zstack.header.identity.API{name}Msg": message})
    assert answer.status_code == 200
    (reply,) = json.loads(answer.json()["result"]).values()
    return reply


def test_a_session_lasts_through_a_restart_and_ends_when_it_is_ended(tmp_path: Path) -> None:
    environment = {"TRIVIUM_ADMIN_PASSWORD": PASSWORD, "TRIVIUM_ZSTACK__SESSION_LIFETIME": "90m"}
    with serving(tmp_path / "data", trivium=small(), environment=environment) as server:
        opened = ask(server, "PUT", "/v1/accounts/login", json=LOGIN)
        assert opened.status_code == 200
        session = opened.json()["inventory"]["uuid"]
        assert ask(server, "GET", "/v1/accounts", session).json()["inventories"][0]["name"] == "admin"
    with serving(tmp_path / "data", trivium=small(), environment=environment) as server:
        assert ask(server, "GET", f"/v1/accounts/sessions/{session}/valid").json()["valid"] is True
        found = ask(server, "GET", "/v1/accounts?q=name~=ADM%&replyWithCount=true", session)
        assert found.json()["total"] == 1
        another = call(server, "LogInByAccount", LOGIN["logInByAccount"])["inventory"]["uuid"]
        assert call(server, "LogOut", {"sessionUuid": session, "session": {"uuid": session}}) == {"success": True}
        refused = ask(server, "GET", "/v1/accounts", session)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ID.1001")
        assert call(server, "QueryAccount", {"count": True, "session": {"uuid": another}})["total"] == 1
