"""Records of lists as they go out, kept until anything that their text depends on is another.

A list then costs what finding its rows costs: of most rows the text is there already. It is never older than the view
that is answered from, for what it is kept by (the row's id and revision, what is shown from outside of the row) is
read in that view, whichever process wrote last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import msgspec

from trivium.base.query import Stamp
from trivium.dialects.operation import Read

R = TypeVar("R")

MOST_BYTES: Final = 16 * 1024 * 1024
OVERHEAD: Final = 512
"""Bytes that a record takes beside its text."""

EVER: Final = datetime.min.replace(tzinfo=UTC)
FOREVER: Final = datetime.max.replace(tzinfo=UTC)


class Record(msgspec.Struct, frozen=True, eq=False):
    """The text of a row, and how long it is good for."""

    text: msgspec.Raw
    since: datetime  # when it was made: text that counts time is none for earlier clocks
    until: datetime = FOREVER  # from when on it reads otherwise
    about: Hashable = None  # what it shows from outside of the row …
    fact: object = None  # … and what that was

    def holds(self, now: datetime, facts: Mapping[Any, Any]) -> bool:
        """Whether it would be the same if it was made now."""
        if not self.since <= now < self.until:
            return False
        if self.about is None:
            return True
        fact = facts[self.about]
        return fact is self.fact or fact == self.fact


class Page(msgspec.Struct, frozen=True, eq=False):
    """The records of a page, and how long they are good for."""

    records: list[msgspec.Raw]
    since: datetime
    until: datetime


class _Text(msgspec.Struct, frozen=True, eq=False):
    text: msgspec.Raw
    since: datetime
    until: datetime


class Rendered(Generic[R]):
    """The records of one shape, the least used of which go when there are too many. Safe in several threads.

    `render` gives the text of a row, from what it has and from what is shown from outside of it.
    """

    def __init__(self, render: Callable[[R, Any, datetime], Record], most: int = MOST_BYTES) -> None:
        self._render = render
        self._most = most // 2
        self._lock = threading.Lock()
        # Two generations: what is used moves to the younger one, which becomes the older one when it is full.
        self._young: dict[Stamp, Record] = {}
        self._old: dict[Stamp, Record] = {}
        self._bytes = 0

    def answer(self, tx: Read, place: Hashable, make: Callable[[], tuple[Page, Any]]) -> msgspec.Raw:
        """The text of what `make` makes of a page, which follows from the place and the database alone.

        As long as nobody has written anything, and no text in it has run out, it is the one that was made before.
        """
        key = (self, place)
        kept: _Text | None = tx.cached_text(key)
        if kept is None or not kept.since <= tx.now < kept.until:
            page, shape = make()
            text = msgspec.json.encode(shape)
            kept = _Text(msgspec.Raw(text), page.since, page.until)
            tx.cache_text(key, kept, size=len(text))
        return kept.text

    def page(
        self,
        tx: Read,
        stamps: Sequence[Stamp],
        load: Callable[[list[int]], Mapping[int, R]],
        *,
        facts: Mapping[Any, Any],
    ) -> Page:
        """The record of each row. `load` gives the rows of some ids, and `facts` what is shown from outside of them."""
        now = tx.now
        young = self._young
        found = [young.get(stamp) or self._from_old(stamp) for stamp in stamps]
        missing = [index for index, record in enumerate(found) if record is None or not record.holds(now, facts)]
        if missing:
            rows = load([stamps[index].id for index in missing])
            for index in missing:
                stamp = stamps[index]
                found[index] = self._put(stamp, self._render(rows[stamp.id], facts, now))
        records = [record for record in found if record is not None]
        return Page(
            records=[record.text for record in records],
            since=max((record.since for record in records), default=EVER),
            until=min((record.until for record in records), default=FOREVER),
        )

    def _from_old(self, stamp: Stamp) -> Record | None:
        record = self._old.pop(stamp, None)
        return None if record is None else self._put(stamp, record)

    def _put(self, stamp: Stamp, record: Record) -> Record:
        with self._lock:
            if self._bytes > self._most:
                self._old, self._young, self._bytes = self._young, {}, 0
            if stamp not in self._young:
                self._bytes += len(bytes(record.text)) + OVERHEAD
            self._young[stamp] = record
        return record
