"""The memory that large bodies may take together, and which of them gives way when there is not enough.

What arrives is held from its first byte until it is answered. When it is too much, whoever holds most loses the body
that has been on its way for longest: whoever sends slowly, or without end, crowds out nobody but themselves. Nothing
is set aside for what was announced, as that costs nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trivium.base.units import MIB

ROOM: Final = 256 * MIB
"""25 of the largest bodies that dialects take unless told otherwise. Small ones do not count: as many clients as there
may be (4000), with one each, take just as much."""


class Held:
    """A large body, as far as it has come. `give_way` is called once, if it is to be let go before it is whole."""

    __slots__ = ("give_way", "holder", "size")

    def __init__(self, holder: int, give_way: Callable[[], None]) -> None:
        self.holder = holder
        self.give_way = give_way
        self.size = 0


class Room:
    """The room, of so many bytes, or as many as the largest body may have."""

    def __init__(self, size: int = ROOM) -> None:
        self._size = size
        self._taken = 0
        self._coming: dict[Held, None] = {}  # bodies that are being read, in the order in which they came
        self._by: dict[int, int] = {}  # bytes, by who holds them

    @property
    def taken(self) -> int:
        """Bytes that are held now."""
        return self._taken

    def grow(self, held: Held, size: int, *, limit: int) -> None:
        """Hold so many bytes of a body, which may get as large as `limit`. Without room it gives way, or others do."""
        self._coming[held] = None
        self._add(held, size - held.size)
        while self._taken > max(self._size, limit) and self._coming:
            most = max(self._coming, key=self._held_by_its_holder)  # of equals the first
            self.leave(most)
            most.give_way()

    def settle(self, held: Held) -> None:
        """A body is whole: it gives way no more, and is held until it leaves."""
        self._coming.pop(held, None)

    def leave(self, held: Held) -> None:
        """Nothing of a body is held any more. To say it again changes nothing."""
        self._coming.pop(held, None)
        self._add(held, -held.size)

    def _add(self, held: Held, more: int) -> None:
        held.size += more
        self._taken += more
        now = self._by.get(held.holder, 0) + more
        if now:
            self._by[held.holder] = now
        else:
            self._by.pop(held.holder, None)

    def _held_by_its_holder(self, held: Held) -> int:
        return self._by[held.holder]
