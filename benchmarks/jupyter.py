"""A client of one Jupyter server, Trivium's behind the proxy or a bare one: its first answer, and its first cell."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
import uuid
from typing import Any, Final

from websockets.sync.client import connect

from benchmarks.processes import WITHIN, NotReady, until
from trivium.base.values import Value

STEP: Final = 0.005  # seconds between two looks
QUIET: Final = 1.0  # seconds in which a kernel that was deleted has its end


class Jupyter(Value, frozen=True, kw_only=True):
    """Where a Jupyter server is reached."""

    port: int
    base: str  # the path that it serves below, with a slash at its end
    token: str

    def await_answer(self) -> None:
        """Return once it answers with 200. Raises `NotReady`."""
        until(self._answers, "the Jupyter server does not answer", step=STEP)

    def run_cell(self) -> float:
        """The moment (`time.perf_counter`) of the first cell's output; its kernel is deleted after that."""
        status, kernel = self._ask("POST", "api/kernels", {"name": "python3"})
        if status != http.client.CREATED:
            message = f"no kernel: {status}"
            raise NotReady(message)
        id = json.loads(kernel)["id"]
        uri = f"ws://127.0.0.1:{self.port}{self.base}api/kernels/{id}/channels"
        headers = {"Authorization": f"token {self.token}"}
        with connect(uri, additional_headers=headers, open_timeout=WITHIN, max_size=None, compression=None) as channel:
            request = _request("print(6 * 7)")
            channel.send(json.dumps(request))
            while True:
                told = json.loads(channel.recv(timeout=WITHIN))
                if told["msg_type"] == "stream" and told["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                    break
            came = time.perf_counter()
        assert told["content"]["text"] == "42\n", told
        self._ask("DELETE", f"api/kernels/{id}")
        time.sleep(QUIET)
        return came

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._ask("GET", "api/status")[0] == http.client.OK
        return False

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
            connection.request(method, self.base + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


def _request(code: str) -> dict[str, Any]:
    """A message of Jupyter's protocol that has a cell executed."""
    asked = uuid.uuid4().hex
    header = {"msg_id": asked, "msg_type": "execute_request", "username": "", "session": asked, "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
