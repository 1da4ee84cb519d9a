"""The listener on uvloop as in production, and on asyncio's own loop."""

from __future__ import annotations

import asyncio

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, type[asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.Loop, "asyncio": asyncio.SelectorEventLoop}
