"""ZStack's API, as somebody asks for models."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from hashlib import sha512
from typing import Final
from urllib.parse import urlencode

from benchmarks.catalogue_rows import PASSWORD
from benchmarks.processes import Served

MODELS: Final = "/zstack/v1/ai/models"
LOGIN: Final = "/zstack/v1/accounts/login"


def target(conditions: Sequence[str], **others: str | int) -> str:
    """The target of a query of models."""
    return f"{MODELS}?{urlencode([*(('q', condition) for condition in conditions), *others.items()])}"


class ZStack:
    """Somebody with a session."""

    def __init__(self, served: Served, user: str) -> None:
        digest = sha512(PASSWORD.encode()).hexdigest()
        body = {"logInByAccount": {"accountName": user, "password": digest}}
        status, said = served.api.ask("PUT", LOGIN, body=body)
        assert status == 200, said
        self.headers: Final = {"Authorization": f"OAuth {json.loads(said)['inventory']['uuid']}"}
        self._connection = served.api.connect()

    def get(self, target: str) -> bytes:
        """The body of an answer."""
        self._connection.request("GET", target, headers=self.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def timed(self, target: str) -> float:
        """Seconds from the request to its whole answer, over a connection that is kept alive."""
        began = time.perf_counter()
        self.get(target)
        return time.perf_counter() - began

    def sizes(self, target: str) -> list[int]:
        """The sizes of the models that are found."""
        return [model["size"] for model in json.loads(self.get(target))["inventories"]]
