"""The least application: what `uvicorn benchmarks.bare:app` serves, so that only the server is measured."""

from __future__ import annotations

from typing import Any


async def app(scope: Any, _receive: Any, send: Any) -> None:
    """Answer every request with two bytes; what is no request is left to the server."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
