"""Checking passwords for whoever asks: few at once, and nobody keeps all others waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from trivium.base.caller import Caller
from trivium.resources.users.errors import TooManyLogins
from trivium.resources.users.passwords import check
from trivium.resources.users.types import Login

AT_ONCE: Final = 2  # each takes 64 MiB, and four threads, for some 50 ms
MOST: Final = 64  # that are checked or wait, as long as a client may well wait
OF_ADDRESS: Final = 16
OF_USER: Final = 4  # from one address


class PasswordChecks:
    """The passwords that are being checked in this process, in a few threads of their own.

    Anybody may ask, so what waits is bounded: in all, for each address, and there for each user. Names that nobody has
    count as one user.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._asked: Counter[tuple[str, int | None]] = Counter()

    async def check(self, login: Login, digest: str, *, address: str) -> Caller:
        """As `passwords.check`; `TooManyLogins` where too many wait."""
        user = None if login.caller is None else login.caller.user
        with self._counted(address, user):
            if self._threads is None:
                self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
            return await asyncio.get_running_loop().run_in_executor(self._threads, check, login, digest)

    @contextmanager
    def _counted(self, address: str, user: int | None) -> Generator[None]:
        asked = self._asked
        here = sum(number for (where, _), number in asked.items() if where == address)
        if asked.total() >= MOST or here >= OF_ADDRESS or asked[address, user] >= OF_USER:
            raise TooManyLogins
        asked[address, user] += 1
        try:
            yield
        finally:
            asked[address, user] -= 1
            if not asked[address, user]:
                del asked[address, user]
