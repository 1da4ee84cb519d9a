"""A server with a model's files on it, and people who speak ZStack to it: over REST, with jobs, and over RPC."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from safetensors.numpy import save_file

from tests.installation import small
from tests.serving import Server, serving
from tests.waiting import until

PASSWORD: Final = "correct horse"
DIGEST: Final = hashlib.sha512(PASSWORD.encode()).hexdigest()


def put_model(place: Path) -> None:
    """Write a small model of a known architecture, as its makers publish one."""
    place.mkdir(parents=True)
    config = {"architectures": ["LlamaForCausalLM"], "transformers_version": "4.51.0", "num_hidden_layers": 1}
    (place / "config.json").write_text(json.dumps(config), "utf-8")
    save_file({"model.embed_tokens.weight": np.zeros((64, 32), np.float16)}, place / "model.safetensors")


@contextmanager
def zstack(data: Path) -> Iterator[tuple[Server, Door]]:
    """A server whose models lie in `models` of its data directory, and its administrator, who has logged in."""
    environment = {"TRIVIUM_ADMIN_PASSWORD": PASSWORD, "TRIVIUM_RUNTIME__WARM": "0s"}
    with serving(data, trivium=small(), environment=environment) as server:
        until(lambda: httpx.get(f"{server.url}/readyz", trust_env=False).is_success, within=120, what="a ready server")
        yield server, Door(server.url)


class Door:
    """Somebody with a session."""

    def __init__(self, url: str) -> None:
        self.url = url
        login = {"logInByAccount": {"accountName": "admin", "password": DIGEST}}
        self.session = ""
        self.session = self.ask("PUT", "/accounts/login", json=login).json()["inventory"]["uuid"]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer over REST."""
        headers = {"Authorization": f"OAuth {self.session}"} if self.session else {}
        headers |= more.pop("headers", {})
        return httpx.request(
            method, f"{self.url}/zstack/v1{path}", headers=headers, trust_env=False, timeout=30, **more
        )

    def query(self, path: str) -> list[dict[str, Any]]:
        """The inventories of a query."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()["inventories"]

    def do(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """What comes of a job that succeeds."""
        status, body = self.job(method, path, **more)
        assert status == 200, body
        return body

    def job(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """What comes of a job, looked for as ZStack's clients look."""
        taken = self.ask(method, path, **more)
        assert taken.status_code == 202, taken.text
        return self.outcome(taken.json()["location"])

    def outcome(self, location: str) -> tuple[int, dict[str, Any]]:
        """What has come of a job once it has ended."""

        def ended() -> httpx.Response | None:
            now = httpx.get(location, trust_env=False, timeout=30)
            return None if now.status_code == 202 else now

        found = until(ended, within=60, what="the end of a job")
        assert found is not None
        return found.status_code, found.json()

    def call(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        """The reply over RPC, looked for until it is there."""
        body = {f"org.zstack.ai.message.API{name}Msg": {"session": {"uuid": self.session}, **message}}
        answer = httpx.post(f"{self.url}/zstack/api/", json=body, trust_env=False, timeout=30)
        assert answer.status_code == 200

        def done() -> dict[str, Any] | None:
            now = answer if answer.json()["state"] == "Done" else self._result(answer.json()["uuid"])
            return now.json() if now.json()["state"] == "Done" else None

        found = until(done, within=60, what=f"the reply to {name}")
        assert found is not None
        (reply,) = json.loads(found["result"]).values()
        return reply

    def _result(self, uuid: str) -> httpx.Response:
        return httpx.get(f"{self.url}/zstack/api/result/{uuid}", trust_env=False, timeout=30)
