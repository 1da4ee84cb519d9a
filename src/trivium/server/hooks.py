"""Sending answers to the addresses that calls named, one look for what is due after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog

from trivium.dialects.operation import Dialect
from trivium.dialects.zstack import Letter, ZStackDialect
from trivium.resources import operations
from trivium.server.background import repeat
from trivium.store import Store

if TYPE_CHECKING:
    import httpx

STEP: Final = 1.0  # seconds between two looks
PATIENCE: Final = 10.0  # seconds that an address has to answer; less than the shortest pause before the next try
log = structlog.get_logger()


async def send_on(store: Store, dialects: Iterable[Dialect]) -> None:
    """Send answers on where the operator allows some address, until cancelled."""
    allowing = [each for each in dialects if isinstance(each, ZStackDialect) and each.settings.web_hooks]
    await asyncio.gather(*(repeat("web hooks", STEP, partial(send_due, store, dialect)) for dialect in allowing))


async def send_due(store: Store, dialect: ZStackDialect) -> None:
    """Send what is due. What does not arrive is due again later, here or in another server, and at last given up."""
    if not await store.read(operations.any_due):
        return
    import httpx  # noqa: PLC0415 - takes long to import

    due = await store.write(dialect.letters)
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False) as client:
        arrived = await asyncio.gather(*(_arrives(client, letter) for _, letter in due))
    for (id, _), told in zip(due, arrived, strict=True):
        if told:
            await store.write(operations.note_told, id)


async def _arrives(client: httpx.AsyncClient, letter: Letter) -> bool:
    """Whether the address took what was sent."""
    import httpx  # noqa: PLC0415 - as above

    try:
        async with (
            asyncio.timeout(PATIENCE),
            client.stream("POST", letter.address, headers=list(letter.headers), content=letter.body) as answer,
        ):
            return answer.is_success
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        log.warning("hook.unanswered", host=urlsplit(letter.address).netloc, error=type(error).__name__)
        return False
