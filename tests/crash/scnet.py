"""SCNet calls as its own client makes them, by a user whose calls may be left unanswered."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

PATIENCE = 30.0  # seconds for an answer of a server that lives


@dataclass(frozen=True)
class Answer:
    """What came of a call: SCNet's code and data, or no code where nobody answered."""

    code: str | None
    data: Any = None
    said: str = ""
    sent: bool = True  # false: nobody listened, so that the call cannot have had an effect
    seconds: float = 0.0  # that the answer was in coming

    @property
    def ok(self) -> bool:
        return self.code == "0"


@dataclass(frozen=True)
class Key:
    """A user with a key pair, as `trivium key create` prints it."""

    user: str
    access_key: str
    secret_key: str
    site_id: str


class User:
    """A user who calls the server from one thread."""

    def __init__(self, key: Key, url: str) -> None:
        self.key = key
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE)
        self.tokens: dict[str, str] = {}

    def with_tokens(self, tokens: dict[str, str]) -> User:
        """The same user on the same connection, with these tokens."""
        twin = copy.copy(self)
        twin.tokens = tokens
        return twin

    def log_in(self) -> Answer:
        """Take new tokens, one for the platform and one for the region."""
        said = {"accessKey": self.key.access_key, "timestamp": str(int(time.time())), "user": self.key.user}
        message = json.dumps(said, separators=(",", ":"))
        signature = hmac.new(self.key.secret_key.encode(), message.encode(), hashlib.sha256).hexdigest()
        answer = self._ask("POST", "/api/user/v3/tokens", headers={**said, "signature": signature})
        if answer.ok:
            self.tokens = {one["clusterId"]: one["token"] for one in answer.data}
        return answer

    def get(self, path: str, **query: Any) -> Answer:
        """A question about notebooks."""
        return self._ask("GET", f"/ai/openapi/v2/notebook/{path}", headers=self._region(), params=query)

    def post(self, path: str, **body: Any) -> Answer:
        """A wish about a notebook."""
        return self._ask("POST", f"/ai/openapi/v2/notebook/{path}", headers=self._region(), json=body)

    def platform(self, path: str, **body: Any) -> Answer:
        """A wish that SCNet has at its platform: create and start."""
        headers = {"token": self.tokens["0"]}
        return self._ask("POST", f"/ac/openapi/v2/notebook/actions/{path}", headers=headers, json=body)

    def resources(self) -> Answer:
        """What there is of accelerators, and what of it is free."""
        query = {"clusterIds": self.key.site_id}
        headers = {"token": self.tokens["0"]}
        return self._ask("GET", "/ac/openapi/v2/resources/accelerators", headers=headers, params=query)

    def everything(self) -> list[dict[str, Any]]:
        """All of the user's notebooks, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get("list", page=len(found) // 50 + 1, size=50)
            assert answer.ok, answer
            found += answer.data["records"]
            if len(found) >= answer.data["total"] or not answer.data["records"]:
                return found

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def _region(self) -> dict[str, str]:
        return {"token": self.tokens[self.key.site_id]}

    def _ask(self, method: str, path: str, **told: Any) -> Answer:
        began = time.monotonic()
        try:
            response = self.http.request(method, path, **told)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Answer(code=None, sent=False)
        except httpx.TransportError as error:
            return Answer(code=None, said=repr(error))
        envelope = response.json()
        return Answer(
            code=str(envelope["code"]),
            data=envelope.get("data"),
            said=envelope.get("msg") or "",
            seconds=time.monotonic() - began,
        )


class Visitor:
    """A browser without a memory."""

    def __init__(self) -> None:
        self._http = httpx.Client(trust_env=False, timeout=PATIENCE, follow_redirects=True)

    def visit(self, link: str, *, of: str | None = None) -> tuple[int, str]:
        """Go through a notebook's door with a link; status and text. `of`: show the link's ticket at another's door."""
        self._http.cookies.clear()
        if of is not None:
            link = link.replace(urlsplit(link).path, f"/nb/{of}/lab", 1)
        response = self._http.get(link)
        return response.status_code, response.text

    def main_of(self, link: str) -> tuple[int, int] | None:
        """Pid and start time of the process behind a link; None where none answers."""
        try:
            status, said = self.visit(link)
        except httpx.TransportError:
            return None
        if status != httpx.codes.OK or not said.startswith("{"):
            return None
        told = json.loads(said)
        return told["pid"], told["started"]

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()
