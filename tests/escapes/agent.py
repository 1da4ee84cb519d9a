"""The program of a notebook that tries to escape: runs what it is told, and says how it was asked.

It stands in the image's environment: `agent.py WHERE`, where WHERE is a socket's path or a port of loopback. Every
request is answered with JSON; a POST's body is a command for the shell, run as a child of the notebook's own server.
"""

from __future__ import annotations

import http.server
import json
import socketserver
import subprocess
import sys
from typing import Any

WITHIN = 60  # seconds for a command
SEEN: list[dict[str, Any]] = []  # every request since the start, so that one that was smuggled in shows


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps connections open, as the proxy likes them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = {"line": self.requestline, "fields": list(self.headers.items()), "body": body.decode("latin-1")}
        SEEN.append(said)
        if self.path.endswith("/seen"):
            self._say(SEEN)
        elif self.command == "POST" and self.path.endswith("/run"):
            self._say(run(body.decode()))
        else:
            self._say(said)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - as the base class looks for them

    def _say(self, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for line in filter(None, (self.headers.get("Answer") or "").split("\t")):
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def address_string(self) -> str:
        return "local"


class OnSocket(socketserver.ThreadingUnixStreamServer):
    """A server on a unix socket."""

    daemon_threads = True


def run(command: str) -> dict[str, Any]:
    """What a command comes to."""
    done = subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, text=True, errors="replace", check=False, timeout=WITHIN
    )
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


if __name__ == "__main__":
    where = sys.argv[1]
    if where.isdigit():
        http.server.ThreadingHTTPServer(("127.0.0.1", int(where)), Handler).serve_forever()
    OnSocket(where, Handler).serve_forever()
