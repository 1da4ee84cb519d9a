"""SCNet's tokens as time goes by, and as rights are withdrawn; and what is said of our own faults."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from scnet import signing

from tests.builders import HOST, HOUR, Place, cards, place
from tests.listening import listening
from tests.memory import blocks
from trivium.base.caller import SYSTEM
from trivium.base.clock import ManualClock
from trivium.base.keyring import Keyring
from trivium.dialects.operation import Core, Request
from trivium.dialects.scnet import ImageList, ScnetDialect, ScnetSettings
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import users
from trivium.resources.users import FreshKey
from trivium.server.remote.runtimes import HostRuntimes

USER = "/ac/openapi/v2/user"
NEXT = "/ac/openapi/v2/tokens/next"
STATE = "/ac/openapi/v2/tokens/state"
REFUSED = {"code": "10008", "msg": "auth_fail", "data": "token is invalid"}


class Client:
    """Alice, who speaks to the dialect itself, on a clock that is moved by hand."""

    def __init__(self, here: Place, core: Core, dialect: ScnetDialect) -> None:
        self.here = here
        self.core = core
        self.dialect = dialect
        self.caller = here.user("alice")
        self.key = self.new_key()

    def new_key(self) -> FreshKey:
        fresh = users.fresh_key()
        self.here.store.write_now(users.create_key, SYSTEM, self.here.keyring, fresh=fresh, user=self.caller.user)
        return fresh

    async def log_in(self, headers: dict[str, str] | None = None) -> dict[str, str]:
        """The tokens by the name of what they are for."""
        answer = await self.ask("POST", "/api/user/v3/tokens", headers or self.signed())
        return {item["clusterName"]: item["token"] for item in answer["data"]}

    def signed(self) -> dict[str, str]:
        stamp = str(int(self.core.clock.now().timestamp()))
        signature = signing.sign(self.key.access_key, self.key.secret, "alice", stamp)
        return {"user": "alice", "accesskey": self.key.access_key, "timestamp": stamp, "signature": signature}

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Any:
        operation = next(one for one in self.dialect.operations if (one.method, one.path) == (method, path))
        request = Request(
            method=method,
            path=path,
            raw_path=path.encode(),
            query=b"",
            headers=headers,
            body=body,
            id=secrets.token_hex(16),
            peer="127.0.0.1",
            scheme="http",
            server=("127.0.0.1", 8800),
        )
        return msgspec.json.decode((await self.dialect.answer(operation, request)).body)

    async def code(self, token: str, path: str = USER) -> str:
        return (await self.ask("GET", path, {"token": token}))["code"]

    def pass_time(self, by: timedelta) -> None:
        assert isinstance(self.core.clock, ManualClock)
        self.core.clock.move(by)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(f"sqlite:///{tmp_path / 'trivium.db'}") as made:
        made.node(cards=cards("dcu", 2))
        yield made


def core_of(here: Place, tmp_path: Path, keyring: Keyring | None = None) -> Core:
    runtime = ProcessRuntime(ProcessSettings(data=tmp_path / "data", run=tmp_path / "run"), here.clock)
    everywhere = HostRuntimes(here.store, runtime, host=HOST)
    return Core(
        store=here.store,
        keyring=keyring or here.keyring,
        clock=here.clock,
        site=here.site,
        runtime=everywhere,
        places=everywhere,
    )


@pytest.fixture
def client(here: Place, tmp_path: Path) -> Client:
    core = core_of(here, tmp_path)
    return Client(here, core, ScnetDialect(core, ScnetSettings()))


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def test_a_token_says_what_scnets_own_say(client: Client) -> None:
    tokens = await client.log_in()
    until = client.core.clock.now() + timedelta(hours=24)
    told = {"user": "alice", "userId": str(client.caller.user), "computeUser": "alice", "accountStatus": "Normal"}
    told |= {"role": "member", "creator": "ac", "invoker": "alice", "expireTime": str(int(until.timestamp() * 1000))}
    for name, cluster in (("ac", "0"), (client.here.site.name, str(client.here.site.id))):
        claims = claims_of(tokens[name])
        assert claims.pop("sessionId").isdigit()
        assert claims == told | {"clusterId": cluster}


async def test_a_token_lets_in_for_a_day(client: Client) -> None:
    token = (await client.log_in())["ac"]
    client.pass_time(24 * HOUR - timedelta(seconds=1))
    assert await client.code(token) == "0"
    client.pass_time(timedelta(seconds=1))
    assert await client.ask("GET", USER, {"token": token}) == REFUSED
    assert await client.ask("GET", STATE, {"token": token}) == REFUSED


async def test_a_token_is_renewed_until_a_day_after_its_end(client: Client) -> None:
    token = (await client.log_in())[client.here.site.name]
    client.pass_time(48 * HOUR - timedelta(seconds=1))
    renewed = (await client.ask("POST", NEXT, {"token": token}))["data"]
    assert claims_of(renewed)["clusterId"] == str(client.here.site.id)
    client.pass_time(timedelta(seconds=1))
    assert await client.ask("POST", NEXT, {"token": token}) == REFUSED
    client.pass_time(24 * HOUR - timedelta(seconds=2))
    assert await client.code(renewed) == "0"
    client.pass_time(timedelta(seconds=1))
    assert await client.code(renewed) == "10008"


async def test_the_same_signature_may_come_again_within_its_window(client: Client) -> None:
    headers = client.signed()
    assert (await client.log_in(headers)).keys() == (await client.log_in(headers)).keys()
    client.pass_time(timedelta(minutes=15))
    assert (await client.ask("POST", "/api/user/v3/tokens", headers))["code"] == "0"
    client.pass_time(timedelta(seconds=1))
    assert (await client.ask("POST", "/api/user/v3/tokens", headers))["code"] == "10004"


async def test_a_user_is_known_however_the_name_is_spelt(client: Client) -> None:
    stamp = str(int(client.core.clock.now().timestamp()))
    signature = signing.sign(client.key.access_key, client.key.secret, "Alice", stamp)
    headers = {"user": "Alice", "accesskey": client.key.access_key, "timestamp": stamp, "signature": signature.upper()}
    assert "ac" in await client.log_in(headers)


async def test_a_name_beyond_latin_comes_as_utf_8_in_latin_1(client: Client) -> None:
    made = client.here.user("小明")
    fresh = users.fresh_key()
    client.here.store.write_now(users.create_key, SYSTEM, client.here.keyring, fresh=fresh, user=made.user)
    stamp = str(int(client.core.clock.now().timestamp()))
    signature = signing.sign(fresh.access_key, fresh.secret, "小明", stamp)
    name = "小明".encode().decode("latin-1")
    headers = {"user": name, "accesskey": fresh.access_key, "timestamp": stamp, "signature": signature}
    assert claims_of((await client.log_in(headers))["ac"])["user"] == "小明"


@pytest.mark.parametrize("what", ["session", "key", "user"])
async def test_what_is_withdrawn_is_gone_on_the_next_request(client: Client, what: str) -> None:
    token = (await client.log_in())["ac"]
    assert await client.code(token) == "0"
    store = client.here.store
    if what == "session":
        store.write_now(users.end_session, client.here.admin, int(claims_of(token)["sessionId"]))
    elif what == "key":
        store.write_now(users.delete_key, client.here.admin, client.key.access_key)
    else:
        store.write_now(users.disable, client.here.admin, client.caller.user, reason="left")
    assert await client.ask("GET", USER, {"token": token}) == REFUSED
    assert await client.ask("POST", NEXT, {"token": token}) == REFUSED


async def test_a_token_for_a_region_that_is_not_here_any_more_lets_nobody_in(client: Client) -> None:
    tokens = await client.log_in()
    site = msgspec.structs.replace(client.here.site, id=20057)
    client.dialect = ScnetDialect(msgspec.structs.replace(client.core, site=site), ScnetSettings())
    assert await client.code(tokens[client.here.site.name]) == "10008"
    assert await client.code(tokens["ac"]) == "0"


async def test_a_token_made_under_another_key_file_lets_nobody_in(client: Client, here: Place, tmp_path: Path) -> None:
    token = (await client.log_in())["ac"]
    other = ScnetDialect(core_of(here, tmp_path, Keyring(secrets.token_bytes(32))), ScnetSettings())
    client.dialect = other
    assert await client.code(token) == "10008"


async def test_images_come_as_the_documents_table_has_them_where_that_is_set(client: Client) -> None:
    client.here.image("jupyterlab:1.0")
    client.dialect = ScnetDialect(client.core, ScnetSettings(image_list=ImageList.ARRAY))
    token = (await client.log_in())["ac"]
    for path in ("/ai/openapi/v2/image/models", "/ai/openapi/v2/image/images"):
        answer = await client.ask("POST", path, {"token": token})
        assert [image["version"] for image in answer["data"]] == ["jupyterlab:1.0"]


async def test_a_fault_of_ours_is_told_with_the_id_that_the_log_has(here: Place, tmp_path: Path) -> None:
    """The key file was exchanged: the secrets in the database do not open any more."""
    client = Client(here, core_of(here, tmp_path), ScnetDialect(core_of(here, tmp_path), ScnetSettings()))
    broken = ScnetDialect(core_of(here, tmp_path, Keyring(secrets.token_bytes(32))), ScnetSettings())
    async with listening(broken) as listener:
        answer = await listener.ask("POST", "/api/user/v3/tokens", client.signed())
    assert answer.status == 200
    assert (answer.json["code"], answer.json["data"]) == ("10001", None)
    id = answer.header("x-request-id")
    assert id
    assert id in answer.json["msg"]
    faults = [line for line in listener.logged() if line["event"] == "fault"]
    assert [(line["request"], line["operation"]) for line in faults] == [(id, "GetUserTokens")]
    assert "SealBroken" in json.dumps(faults)


async def test_a_body_over_the_limit_is_10011(client: Client) -> None:
    client.dialect = ScnetDialect(client.core, ScnetSettings(body_limit=1000))
    async with listening(client.dialect) as listener:
        answer = await listener.ask("POST", "/ai/openapi/v2/image/models", {}, b" " * 1001)
    assert answer.status == 200
    assert answer.json == {"code": "10011", "msg": "请求体过大,上限为 1000 字节。", "data": None}


@pytest.mark.parametrize(
    ("query", "code"),
    [("page=1&size=10", "0"), ("page=x", "10004"), ("notebookName=a", "0")],
    ids=["list", "bad", "search"],
)
async def test_answers_leave_nothing_in_memory(client: Client, query: str, code: str) -> None:
    token = (await client.log_in())[client.here.site.name]
    more: list[int] = []
    async with listening(client.dialect) as listener:
        connection = await listener.connect()
        for _ in range(4):  # in some of which caches fill, and threads come to connections of their own
            before = blocks()
            for _ in range(500):
                answer = await connection.ask("GET", f"/ai/openapi/v2/notebook/list?{query}", {"token": token})
                assert answer.json["code"] == code
            more.append(blocks() - before)
    assert min(more) < 250, more


async def test_clients_are_sent_to_the_services_as_the_operator_says(here: Place, tmp_path: Path) -> None:
    site = msgspec.structs.replace(here.site, public_url="https://trivium.example")
    core = msgspec.structs.replace(core_of(here, tmp_path), site=site)
    client = Client(here, core, ScnetDialect(core, ScnetSettings()))
    token = (await client.log_in())[site.name]
    answer = await client.ask("GET", "/ac/openapi/v2/center", {"token": token})
    assert answer["data"]["aiUrls"][0]["url"] == "https://trivium.example/ai"
