"""ModelArts' API, as a client asks it that signs each request with an access key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.processes import NotReady, Running, Served, administer
from trivium.dialects.modelarts import signing


class Huawei:
    """A user with an access key of their own."""

    def __init__(self, served: Served, user: str = "admin") -> None:
        self._server: Running = served.api
        key = administer(served.place, "key", "create", "--user", user)
        self._access_key, self._secret = key["access_key"], key["secret_key"]
        self.project: str = key["project_id"]

    def notebooks(self, query: str) -> str:
        """The target of a list of notebooks."""
        return f"/v1/{self.project}/notebooks?{query}"

    def nodes(self, pool: str, query: str) -> str:
        """The target of a list of a pool's nodes."""
        return f"/v2/{self.project}/pools/{pool}/nodes?{query}"

    def signed(self, method: str, target: str, body: bytes = b"") -> Mapping[str, str]:
        """The headers of a request, good for a quarter of an hour. The host is one of them."""
        path, _, query = target.partition("?")
        headers = {"host": f"127.0.0.1:{self._server.port}", signing.DATE: f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"}
        signature = signing.expected(
            self._secret,
            method=method,
            raw_path=path.encode(),
            raw_query=query.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
            payload=hashlib.sha256(body).hexdigest(),
            stamp=headers[signing.DATE],
        )
        said = f"Access={self._access_key}, SignedHeaders={';'.join(headers)}, Signature={signature}"
        return {**headers, "authorization": f"{signing.ALGORITHM} {said}"}

    def get(self, target: str) -> bytes:
        """The body of an answer. Raises `NotReady` where the call is refused."""
        return self._checked(target, *self._server.ask("GET", target, self.signed("GET", target)))

    def post(self, target: str, body: Any) -> Any:
        """The answer. Raises `NotReady` where the call is refused."""
        signed = self.signed("POST", target, json.dumps(body).encode())
        return json.loads(self._checked(target, *self._server.ask("POST", target, signed, body=body)))

    @staticmethod
    def _checked(target: str, status: int, said: bytes) -> bytes:
        if status not in {200, 201, 202}:
            message = f"{target}: {status} {said!r}"
            raise NotReady(message)
        return said
