"""The floor: the same server software (uvicorn, uvloop, httptools, bare ASGI) answering fixed bytes from memory.

`python -m benchmarks.floor PORT` answers every request with what it reads from standard input.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


def main() -> None:
    """Serve until it is ended."""
    body = sys.stdin.buffer.read()
    head = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
    }
    tail = {"type": "http.response.body", "body": body}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(head)
        await send(tail)

    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
