"""A small application such as notebooks serve: what `uvicorn asgi:app` answers small requests with. Nothing of ours."""

from __future__ import annotations

from typing import Any

BODY = b'{"started": "2026-11-22T00:00:00.000000Z", "last_activity": "2026-11-22T00:00:00.000000Z", "kernels": 0}'
HEADERS = [
    (b"content-type", b"application/json; charset=UTF-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
    (b"content-length", str(len(BODY)).encode()),
]


async def app(scope: Any, _receive: Any, send: Any) -> None:
    """Answer every request; what is no request is left to the server."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
