"""The listener's own paths: is it alive, is it ready, which version, what has been counted, and what is this."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import msgspec
import structlog

from trivium.base.values import Value
from trivium.dialects.operation import Dialect, Reply, Request
from trivium.server.http.metrics import Metrics

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
ABOUT: Final = "Trivium, a self-hosted AI platform: one account of notebooks, spoken of in several clouds' APIs."


class Part(Value, frozen=True):
    """Something that must work before requests are sent here."""

    name: str
    ready: bool
    reason: str = ""  # why it is not ready, as a sentence


class Platform(Value, frozen=True):
    """What the listener tells of the process it is in."""

    version: Callable[[], str]  # looked up when it is asked for: that takes longer than a request
    metrics: Metrics
    exposition: Callable[[Mapping[str, int]], bytes]  # what /metrics answers, given the notebooks by status
    readiness: Callable[[], Awaitable[tuple[Part, ...]]]
    notebooks: Callable[[], Awaitable[Mapping[str, int]]]  # how many there are of each status
    log_requests: bool = True


class Pages:
    """Answers the platform's own paths."""

    def __init__(self, platform: Platform, dialects: Callable[[], Iterable[Dialect]]) -> None:
        self._platform = platform
        self._dialects = dialects
        self._log = structlog.get_logger()
        self._pages: dict[str, Callable[[Request], Awaitable[Reply]]] = {
            "/": self._index,
            "/healthz": self._health,
            "/readyz": self._ready,
            "/version": self._version,
            "/metrics": self._metrics,
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that are answered here."""
        return tuple(self._pages)

    async def answer(self, request: Request) -> Reply:
        """The page of that path; else a 404 in JSON."""
        page = self._pages.get(request.path) or self._pages.get(request.path.rstrip("/"))
        if page is None:
            return json_reply(404, {"error": "not_found", "message": "Nothing stands at this path.", **_id(request)})
        if request.method not in ("GET", "HEAD"):
            message = {"error": "wrong_method", "message": "This path is only read.", **_id(request)}
            return json_reply(405, message, (("allow", "GET, HEAD"),))
        return await page(request)

    def fault(self, request_id: str) -> Reply:
        """The answer to a fault of ours where no dialect has one."""
        message = "Trivium failed to answer; the log has the reason under this request's id."
        return json_reply(500, {"error": "internal", "message": message, "request_id": request_id})

    def too_slow(self, request_id: str) -> Reply:
        """The answer to a request that did not come to its end."""
        message = "The request's body did not come to its end in time."
        return json_reply(408, {"error": "too_slow", "message": message, "request_id": request_id})

    async def _health(self, _request: Request) -> Reply:
        return json_reply(200, {"status": "ok"})

    async def _ready(self, _request: Request) -> Reply:
        parts = await self._platform.readiness()
        ready = all(part.ready for part in parts)
        told = {part.name: "ready" if part.ready else part.reason or "not ready" for part in parts}
        return json_reply(200 if ready else 503, {"ready": ready, "parts": told})

    async def _version(self, _request: Request) -> Reply:
        return json_reply(200, {"name": "trivium", "version": self._platform.version()})

    async def _metrics(self, request: Request) -> Reply:
        notebooks: Mapping[str, int] = {}
        try:
            notebooks = await self._platform.notebooks()
        except Exception:  # noqa: BLE001 - the other figures matter most when the store does not answer
            self._log.warning("notebooks were not counted", request=request.id, exc_info=True)
        return Reply(status=200, body=self._platform.exposition(notebooks), content_type=EXPOSITION)

    async def _index(self, request: Request) -> Reply:
        dialects = {dialect.name: list(dialect.prefixes) for dialect in self._dialects()}
        if "text/html" in request.headers.get("accept", ""):
            return Reply(status=200, body=self._page(dialects), content_type="text/html; charset=utf-8")
        about = {"name": "trivium", "about": ABOUT, "version": self._platform.version(), "dialects": dialects}
        return json_reply(200, {**about, "paths": list(self.paths)})

    def _page(self, dialects: Mapping[str, list[str]]) -> bytes:
        rows = "".join(
            f"<li>{html.escape(name)}: <code>{html.escape(' '.join(prefixes))}</code></li>"
            for name, prefixes in dialects.items()
        )
        links = " ".join(f'<a href="{path}">{path}</a>' for path in self.paths[1:])
        version = html.escape(self._platform.version())
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Trivium</title>'
            f"<h1>Trivium {version}</h1><p>{ABOUT}</p><ul>{rows}</ul><p>{links}</p></html>"
        ).encode()


def json_reply(status: int, content: Mapping[str, object], headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A reply in JSON."""
    return Reply(status=status, body=msgspec.json.encode(content), headers=headers)


def _id(request: Request) -> dict[str, str]:
    return {"request_id": request.id}
