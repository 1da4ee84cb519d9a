"""Run one cell in a notebook's own kernel, through Trivium's proxy: HTTP for the kernel, a WebSocket for the cell.

    .venv/bin/python examples/run_cell.py 'URL of the notebook' 'print(6 * 7)'

The URL is what `scnet notebook url` prints: .../lab?token=...
Prints what the cell prints; the exit status is 1 when the cell fails.
"""

from __future__ import annotations

import json
import sys
import uuid
from urllib.parse import urlsplit, urlunsplit

import requests
import websocket


def main(url: str, code: str) -> int:
    """Make a kernel, run the code in it, end the kernel."""
    link = urlsplit(url)
    base = urlunsplit((link.scheme, link.netloc, link.path.rpartition("lab")[0], "", ""))
    token = link.query.removeprefix("token=")
    session = requests.Session()
    session.headers["Authorization"] = f"token {token}"
    made = session.post(f"{base}api/kernels", json={"name": "python3"}, timeout=60)
    made.raise_for_status()
    kernel = made.json()["id"]
    try:
        return _run(f"{base.replace('http', 'ws', 1)}api/kernels/{kernel}/channels", token, code)
    finally:
        session.delete(f"{base}api/kernels/{kernel}", timeout=60)


def _run(channels: str, token: str, code: str) -> int:
    socket = websocket.create_connection(channels, header=[f"Authorization: token {token}"], timeout=60)
    asked = uuid.uuid4().hex
    header = {
        "msg_id": asked,
        "msg_type": "execute_request",
        "session": uuid.uuid4().hex,
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    socket.send(json.dumps(message))
    status, is_idle = None, False
    try:
        # The reply and the end of the output come on two channels, in any order.
        while status is None or not is_idle:
            told = json.loads(socket.recv())
            if told["parent_header"].get("msg_id") != asked:
                continue
            kind, content = told["msg_type"], told["content"]
            if kind == "stream":
                sys.stdout.write(content["text"])
            elif kind == "execute_result":
                sys.stdout.write(content["data"]["text/plain"] + "\n")
            elif kind == "error":
                sys.stderr.write("\n".join(content["traceback"]) + "\n")
            elif kind == "execute_reply":
                status = 0 if content["status"] == "ok" else 1
            elif kind == "status" and content["execution_state"] == "idle":
                is_idle = True
        return status
    finally:
        socket.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
