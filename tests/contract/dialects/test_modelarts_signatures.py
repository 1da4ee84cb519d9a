"""What signatures and tokens ModelArts' dialect lets in, and what it says to all others."""

from __future__ import annotations

import hashlib
import hmac
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec
import pytest

from tests.builders import place
from tests.contract.dialects.walked import Town
from trivium.base.clock import ManualClock
from trivium.dialects.modelarts import ModelArtsSettings, auth
from trivium.dialects.modelarts.errors import SignatureRefused
from trivium.dialects.modelarts.links import Links
from trivium.dialects.operation import Reply, Request
from trivium.resources import projects, users
from trivium.server.http.routes import Found, Routes

HOST: Final = "127.0.0.1:8800"
REFUSED: Final = "Incorrect IAM authentication information: verify aksk signature fail"
NONE: Final = "Incorrect IAM authentication information: the request carries no SDK-HMAC-SHA256 signature and no token"
LATE: Final = "Incorrect IAM authentication information: the time of the signature is more than 15 minutes from ours"
GATEWAY: Final = (401, "APIGW.0301")
MISMATCH: Final = (403, "ModelArts.0210", "The project id in the request URL does not match the token.")


@dataclass(frozen=True)
class Sent:
    """A request as a client signs it, and `then` as it arrives."""

    method: str = "GET"
    path: str = "/v1/{project}/notebooks"
    query: str = "limit=10"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    unsigned: tuple[str, ...] = ()  # headers that are sent, and not signed
    late: float = 0  # minutes
    access_key: str = ""
    secret: str = ""
    algorithm: str = "SDK-HMAC-SHA256"
    listed: Callable[[str], str] = str  # what is told of the names of the headers that were signed
    then: Mapping[str, str] = field(default_factory=dict[str, str])  # headers; one without a value is not there
    then_method: str | None = None
    then_query: str | None = None
    then_body: str | None = None


@dataclass(frozen=True)
class Signing:
    """A user with a key, on a site."""

    town: Town
    access_key: str
    secret: str
    project: str
    foreign: str  # a project that is not theirs

    def request(self, sent: Sent) -> Request:
        """The request as it arrives."""
        now = self.town.here.clock.now()
        words = {"project": self.project, "foreign": self.foreign, "now": stamp_of(now)}
        words["hash"] = hashlib.sha256(sent.body.encode()).hexdigest()
        path = sent.path.format(**words)
        headers = {"host": HOST, "content-type": "application/json", "user-agent": "x/1", **sent.headers}
        headers = {name: text.format(**words) for name, text in headers.items()}
        headers["x-sdk-date"] = stamp_of(now + timedelta(minutes=sent.late))
        names = sorted(name for name in headers if name not in sent.unsigned)
        signature = signed(sent, path, {name: headers[name] for name in names}, sent.secret or self.secret)
        key = sent.access_key or self.access_key
        said = f"SDK-HMAC-SHA256 Access={key}, SignedHeaders={sent.listed(';'.join(names))}, Signature={signature}"
        headers["authorization"] = said.replace("SDK-HMAC-SHA256", sent.algorithm, 1)
        headers |= {name: text.format(**words) for name, text in sent.then.items()}
        return Request(
            method=sent.then_method or sent.method,
            path=path,
            raw_path=path.encode(),
            query=(sent.query if sent.then_query is None else sent.then_query).encode(),
            headers={name: text for name, text in headers.items() if text},
            body=(sent.body if sent.then_body is None else sent.then_body).encode(),
            id="0" * 32,
            peer="",
            scheme="http",
            server=None,
        )

    async def asked(self, request: Request) -> tuple[int, Any]:
        """Status and answer."""
        found = Routes((self.town.dialect,)).find(request.method, request.path, request.raw_path)
        assert isinstance(found, Found)
        placed = msgspec.structs.replace(request, parameters=found.parameters)
        reply = await self.town.dialect.answer(found.operation, placed)
        return reply.status, msgspec.json.decode(reply.body)


def stamp_of(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def signed(sent: Sent, path: str, headers: Mapping[str, str], secret: str) -> str:
    """The signature, as the "API Request Signing Guide" has it."""
    query = "&".join(sorted(sent.query.split("&")))
    payload = headers.get("x-sdk-content-sha256") or hashlib.sha256(sent.body.encode()).hexdigest()
    lines = "".join(f"{name}:{text}\n" for name, text in headers.items())
    canonical = f"{sent.method}\n{path}/\n{query}\n{lines}\n{';'.join(headers)}\n{payload}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    said = f"SDK-HMAC-SHA256\n{headers['x-sdk-date']}\n{digest}"
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def signing(database_url: str, tmp_path: Path) -> Iterator[Signing]:
    with place(database_url) as here:
        town = Town(here, tmp_path)
        key = users.fresh_key()
        here.store.write_now(users.create_key, here.admin, here.keyring, fresh=key, user=town.alice.user)
        bob = here.user("bob")
        alices, bobs = (here.store.read_now(projects.get, who.project).uuid.hex for who in (town.alice, bob))
        yield Signing(town, key.access_key, key.secret, project=alices, foreign=bobs)


POST: Final = Sent(method="POST", path="/v1/{project}/workspaces", query="", body='{"name":"room-1"}')
HASH: Final = "x-sdk-content-sha256"

TAKEN: Final = {
    "as it is": Sent(),
    "14 minutes old": Sent(late=-14),
    "14 minutes ahead": Sent(late=14),
    "a host without a port": Sent(headers={"host": "modelarts.example"}),
    "a host with a port": Sent(headers={"host": "modelarts.example:8800"}),
    "a host that is not signed": Sent(unsigned=("host",), then={"host": "another.example"}),
    "nothing but the time signed": Sent(unsigned=("host", "content-type", "user-agent")),
    "the project's header": Sent(headers={"x-project-id": "{project}"}),
    "the project's header, not signed": Sent(headers={"x-project-id": "{project}"}, unsigned=("x-project-id",)),
    "a query in another order": Sent(query="limit=10&offset=0", then_query="offset=0&limit=10"),
    "a body": POST,
    "a body with its hash": replace(POST, body='{"name":"room-2"}', headers={HASH: "{hash}"}),
    "the same once more": Sent(),
}

COSTLY: Final = ("hmac", "sha256", "hashlib", "compare_digest", "decrypt", "execute", "fetch", "b64decode")
"""Words in the names of what takes time: cryptography, and the database."""

MOST_APART: Final = 10  # calls of other functions, which make a value of the row of the key that is there

WRONG: Final = (*GATEWAY, REFUSED)
UNREAD: Final = (*GATEWAY, NONE)
AGED: Final = (*GATEWAY, LATE)

REFUSALS: Final[dict[str, tuple[Sent, tuple[int, str, str]]]] = {
    "a wrong secret": (Sent(secret="wrong"), WRONG),
    "a key that nobody has": (Sent(access_key="NOBODYHASTHISKEY0000"), WRONG),
    "another query": (Sent(then_query="limit=20"), WRONG),
    "a longer query": (Sent(then_query="limit=10&offset=1"), WRONG),
    "no query": (Sent(then_query=""), WRONG),
    "another body": (replace(POST, then_body='{"name":"room-2"}'), WRONG),
    "no body": (replace(POST, then_body=""), WRONG),
    "a body to a request without one": (Sent(then_body="{}"), WRONG),
    "another method": (replace(POST, then_method="GET"), WRONG),
    "another time": (Sent(late=-1, then={"x-sdk-date": "{now}"}), WRONG),
    "another host": (Sent(then={"host": "another.example:8800"}), WRONG),
    "a host that loses its port": (Sent(then={"host": "127.0.0.1"}), WRONG),
    "a host that gets a port": (Sent(headers={"host": "127.0.0.1"}, then={"host": HOST}), WRONG),
    "another header": (Sent(then={"user-agent": "y/1"}), WRONG),
    "a header less in the list": (Sent(listed=lambda names: names.replace("host;", "")), WRONG),
    "a header more in the list": (
        Sent(headers={"accept": "*/*"}, unsigned=("accept",), listed=lambda names: f"accept;{names}"),
        WRONG,
    ),
    "headers in another order": (Sent(listed=lambda names: ";".join(reversed(names.split(";")))), WRONG),
    "a header in the list that is not there": (Sent(listed=lambda names: f"{names};x-more"), UNREAD),
    "a time that is not in the list": (Sent(listed=lambda names: names.replace(";x-sdk-date", "")), UNREAD),
    "no time": (Sent(then={"x-sdk-date": ""}), UNREAD),
    "nothing": (Sent(then={"authorization": ""}), UNREAD),
    "20 minutes old": (Sent(late=-20), AGED),
    "20 minutes ahead": (Sent(late=20), AGED),
    "20 minutes old, with a wrong secret": (Sent(late=-20, secret="wrong"), AGED),
    "SM3": (Sent(algorithm="SDK-HMAC-SM3"), UNREAD),
    "a derived key": (Sent(algorithm="V11-HMAC-SHA256"), UNREAD),
    "another hash of the body": (replace(POST, headers={HASH: "0" * 64}), WRONG),
    "JSON that is left unsigned": (replace(POST, headers={HASH: "UNSIGNED-PAYLOAD"}), WRONG),
    "a foreign project": (Sent(path="/v1/{foreign}/notebooks"), MISMATCH),
    "a foreign project, in the header too": (
        Sent(path="/v1/{foreign}/notebooks", headers={"x-project-id": "{foreign}"}),
        MISMATCH,
    ),
    "a foreign project in the header": (Sent(headers={"x-project-id": "{foreign}"}), MISMATCH),
    "a foreign project in a header that is not signed": (
        Sent(headers={"x-project-id": "{foreign}"}, unsigned=("x-project-id",)),
        MISMATCH,
    ),
    "a project that is none": (Sent(path="/v1/0/notebooks"), MISMATCH),
}


async def test_what_was_signed_is_taken(signing: Signing) -> None:
    answers = {name: await signing.asked(signing.request(sent)) for name, sent in TAKEN.items()}
    assert {name: told for name, told in answers.items() if told[0] != 200} == {}


async def test_what_was_not_signed_so_gets_the_documented_error(signing: Signing) -> None:
    for name, (sent, (status, code, words)) in REFUSALS.items():
        told = {"error_code": code, "error_msg": words}
        if code.startswith("APIGW."):
            told["request_id"] = "0" * 32
        assert (name, *await signing.asked(signing.request(sent))) == (name, status, told)
    own = await signing.town.asked("ListWorkspace", {}, {})
    assert own["total_count"] == 1  # nothing was done: it is the default one


async def test_a_signature_may_come_again_until_it_is_too_old(signing: Signing) -> None:
    request, clock = signing.request(Sent()), signing.town.here.clock
    assert isinstance(clock, ManualClock)
    for minutes, status in ((0, 200), (10, 200), (6, 401)):
        clock.move(timedelta(minutes=minutes))
        assert (await signing.asked(request))[0] == status


async def test_the_head_of_a_signed_request_tells_whose_its_body_is_and_refuses_no_key(signing: Signing) -> None:
    """The signature itself is judged with the whole body; whether there is such a key is told to nobody before."""
    dialect, alice = signing.town.dialect, signing.town.alice.user

    async def sender(sent: Sent) -> object:
        request = msgspec.structs.replace(signing.request(sent), body=b"")
        found = Routes((dialect,)).find(request.method, request.path, request.raw_path)
        assert isinstance(found, Found)
        told = await dialect.sender(found.operation, msgspec.structs.replace(request, parameters=found.parameters))
        return told.status if isinstance(told, Reply) else told

    assert await sender(POST) == alice
    assert await sender(replace(POST, headers={HASH: "{hash}"})) == alice
    assert await sender(replace(POST, secret="wrong")) == alice
    assert await sender(replace(POST, access_key="NOBODYHASTHISKEY0000")) == 0
    assert await sender(replace(POST, late=-20)) == 401
    assert await sender(replace(POST, then={"authorization": ""})) == 401
    assert await sender(replace(POST, then={"authorization": "", "x-auth-token": "tma-nobody"})) == 401


class Work:
    """What is done when somebody is refused: every call of a function, Python's and others'."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            self.calls[f"{Path(frame.f_code.co_filename).name} {frame.f_code.co_qualname}"] += 1
        elif event == "c_call":
            self.calls[f"{called.__module__} {called.__qualname__}"] += 1


def work_of(signing: Signing, sent: Sent) -> Counter[str]:
    """What it takes to refuse a request."""
    request, work = signing.request(sent), Work()
    here, settings = signing.town.here, ModelArtsSettings()

    def refused(tx: Any) -> None:
        sys.setprofile(work)
        try:
            credential = auth.credential_of(request, settings, here.clock.now())
            with pytest.raises(SignatureRefused):
                auth.admit(tx, credential, request, keyring=here.keyring, settings=settings, signed=Links(here.keyring))
        finally:
            sys.setprofile(None)

    here.store.read_now(refused)
    return work.calls


def costly(work: Counter[str]) -> Counter[str]:
    """Those of the calls that take time."""
    return Counter({name: count for name, count in work.items() if any(word in name.lower() for word in COSTLY)})


def test_a_key_that_nobody_has_takes_the_work_of_a_wrong_secret(signing: Signing) -> None:
    unknown, wrong = Sent(access_key="NOBODYHASTHISKEY0000"), Sent(secret="wrong")
    for sent in (unknown, wrong):
        work_of(signing, sent)  # what is done once is done
    of_unknown, of_wrong = work_of(signing, unknown), work_of(signing, wrong)
    assert costly(of_unknown) == costly(of_wrong)
    assert {"hmac", "sha256", "decrypt", "execute"} <= {word for word in COSTLY if any(word in one for one in of_wrong)}
    apart = (of_unknown - of_wrong) + (of_wrong - of_unknown)
    assert apart.total() <= MOST_APART, apart
