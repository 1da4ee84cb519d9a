"""The stage that SCNet's wire cases play on: one site for all, and for each case people and notebooks of its own."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from scnet import signing

from tests.listening import Listener
from tests.worlds import ENDING, Person, World, small_environment
from trivium.dialects.operation import Operation, Reply, Request
from trivium.dialects.scnet import ScnetDialect
from trivium.dialects.scnet.auth import Tokens
from trivium.resources import pools
from trivium.resources.images import Image
from trivium.resources.notebooks import Status

AGES: Final = {"now": 0, "20 minutes ago": -1200, "in 20 minutes": 1200, "14 minutes ago": -840}

Ask = Callable[[Request], Awaitable[tuple[int, str, Any]]]


class Stage:
    """What the cases of a run have in common."""

    def __init__(self, world: World, dialect: ScnetDialect, images: dict[str, Image]) -> None:
        self.world = world
        self.dialect = dialect
        self.images = images
        self.tokens = Tokens(world.core.keyring, dialect.settings.token_lifetime)

    def person_names(self, label: str, person: Person) -> dict[str, Any]:
        """What a case may say of a person: their name, key and tokens."""
        region = str(self.world.core.site.id)
        tokens = {
            "token": self.tokens.issue(person.caller, self.world.session(person, region)),
            "platform": self.tokens.issue(person.caller, self.world.session(person, None)),
        }
        told = {
            "name": person.name,
            "id": str(person.caller.user),
            "access_key": person.key.access_key,
            "secret": person.key.secret,
            "home": str(self.world.core.site.homes / str(person.caller.user)),
            **tokens,
        }
        return {f"{label}.{name}": value for name, value in told.items()}

    def common_names(self) -> dict[str, Any]:
        """What a case may say of the site."""
        core = self.world.core
        pool = core.store.read_now(pools.default_pool)
        assert pool is not None
        told = {"site.id": core.site.id, "site.id_text": str(core.site.id), "site.name": core.site.name}
        told |= {"pool.name": pool.name, "pool.short": str(pool.short)}
        for label, image in self.images.items():
            told |= image_names(label, image)
        return told

    async def step(self, told: dict[str, Any], people: dict[str, Person], names: dict[str, Any]) -> None:
        """Carry out one step of what is given before."""
        if "notebook" in told:
            label = told.pop("notebook")
            person, image = people[told.pop("of", "alice")], self.images[told.pop("image", "small")]
            status = Status(told.pop("status"))
            made = await self.world.notebook(person, image, status, **told)
            names |= {f"{label}.id": str(made.id), f"{label}.name": made.name, f"{label}.number": made.id}
        elif "user" in told:
            people[told["user"]] = self.world.user(told["user"])
            names |= self.person_names(told["user"], people[told["user"]])
        elif "frozen" in told:
            self.world.freeze(people[told["frozen"]])
        elif "cut off" in told:
            await self.world.cut_off()
        elif "saved" in told:
            person = people[told["saved"]]
            saved = await self.world.saved_image(person, self.images["small"])
            names |= image_names(told["image"], saved)
        else:
            message = f"unknown step {told}"
            raise ValueError(message)


def image_names(label: str, image: Image) -> dict[str, Any]:
    """What a case may say of an image."""
    told = {"path": image.path, "version": image.version, "digest": image.digest, "tag": image.tag}
    told |= {"id": image.uuid.hex, "size": str(image.size)}
    return {f"{label}.{name}": value for name, value in told.items()}


@asynccontextmanager
async def given(stage: Stage, steps: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """The prior state of a case, and the names of what is in it; nothing of it is left in the end."""
    people = {"alice": stage.world.user("alice")}
    names = stage.common_names() | stage.person_names("alice", people["alice"]) | {"free_port": free_port()}
    try:
        for step in steps:
            await stage.step(dict(step), people, names)
        yield names
    finally:
        await stage.world.connect()
        for person in people.values():
            await stage.world.release_all(person)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def images_of(world: World) -> dict[str, Image]:
    """The operator's images of every stage, oldest first."""
    altered = world.python.with_name("altered")
    small_environment(altered)
    made = {
        "small": await world.image("jupyterlab-small:1.0-py3", description="小型镜像"),
        "dcu": await world.image("jupyterlab-pytorch:2.5.1-dtk24.04", "dcu", description="PyTorch"),
        "ending": await world.image("jupyterlab-ending:1.0", command=ENDING),
        "altered": await world.image("jupyterlab-altered:1.0", environment=altered),
    }
    await asyncio.to_thread((altered / "bin" / "added-later").write_text, "another content", "utf-8")
    return made


def request_of(told: dict[str, Any], names: dict[str, Any], base_url: str) -> Request:
    """The request that a case tells of, its names already filled in."""
    headers = {name.lower(): str(value) for name, value in told.get("headers", {}).items()}
    if "sign" in told:
        headers |= signed(told["sign"], names) | headers
    body = told["text"].encode() if "text" in told else b""
    origin = urlsplit(base_url)
    if "body" in told:
        body = msgspec.json.encode(told["body"])
        headers.setdefault("content-type", "application/json")
    return Request(
        method=told["method"],
        path=told["path"],
        raw_path=told["path"].encode(),
        query=told.get("query", "").encode(),
        headers=headers,
        body=body,
        id="0" * 32,
        peer="127.0.0.1",
        scheme=origin.scheme,
        server=(origin.hostname or "", origin.port),
    )


def signed(told: dict[str, Any], names: dict[str, Any]) -> dict[str, str]:
    """The headers of a login, signed by SCNet's own client."""
    who = told.get("as", "alice")
    key, secret = told.get("access_key", names[f"{who}.access_key"]), told.get("secret", names[f"{who}.secret"])
    user = told.get("user", names[f"{who}.name"])
    stamp = str(int(time.time()) + AGES[told.get("at", "now")])
    signature = signing.sign(key, secret, user, stamp)
    return {"user": user, "accesskey": key, "timestamp": stamp, "signature": signature}


def in_process(dialect: ScnetDialect) -> Ask:
    """Ask the dialect itself."""

    async def ask(request: Request) -> tuple[int, str, Any]:
        reply = await _reply(dialect, request)
        return reply.status, reply.content_type, msgspec.json.decode(reply.body)

    return ask


def through_a_socket(listener: Listener) -> Ask:
    """Ask over HTTP."""

    async def ask(request: Request) -> tuple[int, str, Any]:
        target = request.path + (f"?{request.query.decode()}" if request.query else "")
        headers = {"host": request.base_url.removeprefix("http://"), **request.headers}
        answer = await listener.ask(request.method, target, headers, request.body)
        return answer.status, answer.header("content-type") or "", answer.json

    return ask


async def _reply(dialect: ScnetDialect, request: Request) -> Reply:
    there = [operation for operation in dialect.operations if operation.path == request.path]
    if not there:
        return dialect.not_found(request)
    chosen: list[Operation] = [operation for operation in there if operation.method == request.method]
    if not chosen:
        return dialect.wrong_method(request, tuple(operation.method for operation in there))
    return await dialect.answer(chosen[0], request)
