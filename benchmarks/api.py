"""SCNet's API, as one user's client uses it."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from benchmarks.processes import NotReady, Served, administer, until
from trivium.dialects.scnet.auth import signature_of

NOTEBOOK: Final = "/ai/openapi/v2/notebook"
LIST: Final = f"{NOTEBOOK}/list"


class Api:
    """A user with an access key of their own, logged in."""

    def __init__(self, served: Served, user: str = "admin") -> None:
        self._server = served.api
        self._key = administer(served.place, "key", "create", "--user", user)
        region = self._region()
        self.token = region["token"]
        self._site = region["clusterId"]

    def log_in(self) -> str:
        """The token of a new session."""
        return self._region()["token"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The data of an answer. Raises `NotReady` where the call is refused."""
        _, said = self._server.ask(method, path, {"token": self.token}, body=body)
        answer = json.loads(said)
        if answer["code"] != "0":
            message = f"{path}: {answer}"
            raise NotReady(message)
        return answer["data"]

    def create(self, image: str, *, cores: int = 1) -> str:
        """The id of a new notebook of an image with this path, which may use so many cores."""
        asked = {"acceleratorType": "CPU", "acceleratorNumber": str(cores), "imagePath": image}
        body = {**asked, "clusterId": self._site, "imageName": image.rpartition("/")[2]}
        return str(self.call("POST", "/ac/openapi/v2/notebook/actions/create", body)["notebookId"])

    def link(self, id: str, *, step: float) -> str:
        """The link that opens a notebook, once it runs; looked for every `step` seconds. Raises `NotReady`."""

        def found() -> str:
            answer = self.call("GET", f"{NOTEBOOK}/url?notebookId={id}")
            return str(answer.get("notebookUrl") or answer.get("url") or "")

        return until(found, "the notebook does not come to run", step=step)

    def stop(self, id: str) -> None:
        """Stop a notebook, and wait until it is stopped. Raises `NotReady`."""
        self.call("POST", f"{NOTEBOOK}/actions/stop", {"notebookId": id})
        detail = f"{NOTEBOOK}/detail?notebookId={id}"
        until(lambda: self.call("GET", detail)["notebookStatus"] == "Terminated", "the notebook does not stop")

    def release(self, id: str) -> None:
        """Remove a notebook that is stopped."""
        self.call("POST", f"{NOTEBOOK}/actions/release", {"id": id})

    def _region(self) -> Any:
        """What a login answers of the region: its id, and a token for it."""
        now = str(int(time.time()))
        user, access_key = self._key["user"], self._key["access_key"]
        signature = signature_of(self._key["secret_key"], access_key=access_key, timestamp=now, user=user)
        headers = {"user": user, "accessKey": access_key, "timestamp": now, "signature": signature}
        _, answer = self._server.ask("POST", "/api/user/v3/tokens", headers)
        return next(region for region in json.loads(answer)["data"] if region["clusterId"] != "0")
