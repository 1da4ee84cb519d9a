"""Somebody who signs requests as Huawei's clients do, for calls that its client for Python has no operations for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx

from tests.huawei import BasicCredentials, SdkRequest, Signer, quiet
from tests.serving import Server


class Signed:
    """What is below a path of somebody's project."""

    def __init__(self, server: Server, key: dict[str, str], path: str) -> None:
        self._url = httpx.URL(server.url)
        self._base = path.replace("{project_id}", key["project_id"])
        self._signer = Signer(BasicCredentials(key["access_key"], key["secret_key"], key["project_id"]))

    def ask(self, method: str, below: str = "", body: Any = None, **query: Any) -> httpx.Response:
        """The answer to a signed request."""
        host = f"{self._url.host}:{self._url.port}"
        content = b"" if body is None else httpx.Request("POST", self._url, json=body).content
        asked = SdkRequest(
            method=method,
            schema="http",
            host=host,
            resource_path=f"{self._base}{below}",
            uri=f"{self._base}{below}",
            query_params=[(name, str(value)) for name, value in query.items()],
            header_params={"Host": host, "Content-Type": "application/json"},
            body=content.decode(),
        )
        with quiet():
            signed = self._signer.sign(asked)
        address = f"http://{host}{self._base}{below}?{urlencode(query)}"
        return httpx.request(
            method, address, headers=signed.header_params, content=content, trust_env=False, timeout=30
        )

    def said(self, method: str, below: str = "", body: Any = None, **query: Any) -> Any:
        """The body of an answer that is good; None where it has none."""
        answer = self.ask(method, below, body, **query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None
