"""Access paths to the rows that match a pattern, chosen by estimated cost from the pattern and a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from trivium.store.database import Flavour
from trivium.store.grams.declared import Grams
from trivium.store.grams.selection import MOST, Gram, grams, selected, spread
from trivium.store.grams.triggers import SIZES
from trivium.store.search_cache import LONGEST, Sample
from trivium.store.transactions import Read

SAMPLED: Final = 256
"""Texts of a sample. Taking it costs a millisecond or less, looking a gram up in it ten microseconds."""

FRESH: Final = timedelta(minutes=1)

LARGE: Final = 20_000
"""Rows up to which a part is counted for a sample on PostgreSQL; that takes some milliseconds."""

VAST: Final = 1_000_000
"""The estimate for a part that has more rows than that."""

SCANNED: Final = 0.35
"""What a row costs on PostgreSQL in an ordered scan, relative to one that is found by the index and sorted."""

SPARE: Final = 4
"""How many times the estimated rows an ordered scan may read."""


class Kind(Enum):
    """How an access path finds rows."""

    INDEX = "index"  # the index of grams gives candidates, whose text is compared with the pattern
    INDEX_ONLY = "index only"  # the same without the resource's table: for totals
    NEWEST = "newest"  # scans a limited number of the newest rows of the part; PostgreSQL only


class AccessPath(Struct, frozen=True, eq=False, kw_only=True):
    """An access path, with its values in the order of its parameters."""

    grams: Grams
    kind: Kind
    parts: tuple[int, ...]
    values: tuple[Any, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """What the text of its statement depends on."""
        return (self.grams.index, self.kind, len(self.parts))


class Search(Struct, frozen=True, eq=False, kw_only=True):
    """A pattern that is searched for in some parts."""

    grams: Grams
    parts: tuple[int, ...]
    pattern: str
    runs: tuple[str, ...]  # the texts between its wildcards
    is_plain: bool  # whether it is one text with any text before and after it


def for_page(tx: Read, search: Search, *, rows: int, in_order: bool) -> tuple[AccessPath, ...]:
    """The access paths to try for a page that ends after so many rows; each but the last may give too few of them.

    `in_order`: the page is sorted by the id alone.
    """
    found, sample = grams(search.runs, SIZES[tx.flavour]), _sample(tx, search)
    if sample is None:
        return (_index(tx, search, spread(found)),)
    choice = selected(found, sample)
    index = _index(tx, search, choice.grams)
    if tx.flavour is Flavour.SQLITE:
        # Each gram is looked up in every segment of the index, which costs a page more than it may save.
        is_short = search.is_plain and len(found) <= MOST and choice.phrase < choice.cost
        return (_in_order(search, found) if is_short else index,)
    if not in_order or len(search.parts) > 1:
        return (index,)
    frequency = min(sample.share(len(sample.holding(run))) for run in search.runs)
    far = rows / frequency
    if far * SCANNED > frequency * sample.rows:
        return (index,)
    values = (search.pattern, *search.parts, int(far * SPARE))
    return (_path(search, Kind.NEWEST, values), index)


def for_total(tx: Read, search: Search, *, alone: bool) -> AccessPath:
    """The access path to the number of rows. `alone`: no other condition, so the index may answer by itself."""
    found, sample = grams(search.runs, SIZES[tx.flavour]), _sample(tx, search)
    choice = None if sample is None else selected(found, sample)
    taken = spread(found) if choice is None else choice.grams
    if tx.flavour is Flavour.POSTGRESQL:
        return _index(tx, search, taken, kind=Kind.INDEX_ONLY if alone else Kind.INDEX)
    is_cheaper = len(found) <= MOST if choice is None else len(found) == 1 or choice.phrase < choice.cost
    if alone and search.is_plain and is_cheaper:
        return _in_order(search, found, kind=Kind.INDEX_ONLY)
    return _index(tx, search, taken)


def generation(tx: Read, search: Search) -> int:
    """A number that grows with every committed change of the parts' texts."""
    mark = "?" if tx.flavour is Flavour.SQLITE else "%s"
    marks = ", ".join([mark] * len(search.parts))
    table = search.grams.generations
    sql = f"SELECT CAST(coalesce(sum(changes), 0) AS BIGINT) FROM {table} WHERE part IN ({marks})"  # noqa: S608
    return tx.fetch(sql, search.parts)[0][0]


def counted(tx: Read, search: Search, count: Callable[[], int]) -> int:
    """The total of a search without other conditions: cached where it still holds in this snapshot, else `count()`."""
    if tx.search_cache is None or len(search.pattern) > LONGEST:
        return count()
    key, now = (search.grams.index, search.parts, search.pattern), generation(tx, search)
    total = tx.search_cache.total(key, now)
    if total is None:
        total = count()
        tx.search_cache.put_total(key, now, total)
    return total


def _index(tx: Read, search: Search, taken: Sequence[Gram], *, kind: Kind = Kind.INDEX) -> AccessPath:
    texts = [gram.text for gram in taken]
    if tx.flavour is Flavour.SQLITE:
        asked = ("(" + " AND ".join(_phrase(part, [text]) for text in texts) + ")" for part in search.parts)
        return _path(search, kind, (" OR ".join(asked),))
    values: list[Any] = [search.pattern]
    for part in search.parts:
        values += part, part, texts
    return _path(search, kind, tuple(values))


def _in_order(search: Search, found: Sequence[Gram], *, kind: Kind = Kind.INDEX) -> AccessPath:
    """The path to the rows of a plain text by all its grams as one phrase, for SQLite: exactly those that match."""
    phrases = (_phrase(part, [gram.text for gram in found]) for part in search.parts)
    return _path(search, kind, (" OR ".join(phrases),))


def _path(search: Search, kind: Kind, values: tuple[Any, ...]) -> AccessPath:
    return AccessPath(grams=search.grams, kind=kind, parts=search.parts, values=values)


def _phrase(part: int, texts: Sequence[str]) -> str:
    """A phrase of FTS5: the grams one after the other."""
    return '"' + " ".join(f"{part}x{text.encode().hex()}" for text in texts) + '"'


def _sample(tx: Read, search: Search) -> Sample | None:
    """The sample of the parts, which is taken again when it is older than `FRESH`.

    None in a transaction without a cache, and for so few rows that the choice does not matter.
    """
    if tx.search_cache is None:
        return None
    key = (search.grams.index, search.parts)
    sample = tx.search_cache.samples.get(key)
    if sample is None or sample.taken <= tx.now - FRESH:
        texts = [row[0] for part in search.parts for row in _newest(tx, search.grams, part)]
        sample = Sample(tuple(texts), tx.now, sum(_rows(tx, search.grams, part) for part in search.parts))
        tx.search_cache.samples.put(key, sample)
    return sample if len(sample.texts) >= SAMPLED else None


def _rows(tx: Read, declared: Grams, part: int) -> int:
    """The estimated rows of the part, where the choice depends on it."""
    if tx.flavour is Flavour.SQLITE:
        return VAST
    some = f"SELECT 1 FROM {declared.index} WHERE part = %s LIMIT {LARGE}"  # noqa: S608
    found = tx.fetch(f"SELECT count(*) FROM ({some}) AS found", (part,))[0][0]  # noqa: S608
    return found if found < LARGE else VAST


def _newest(tx: Read, declared: Grams, part: int) -> list[Any]:
    index = declared.index
    if tx.flavour is Flavour.SQLITE:
        sql = (
            f"SELECT t.{declared.column.name} FROM {index} CROSS JOIN {declared.table.name} AS t "  # noqa: S608
            f"ON t.id = {index}.rowid WHERE {index} MATCH ? ORDER BY {index}.rowid DESC LIMIT {SAMPLED}"
        )
        return tx.fetch(sql, (_phrase(part, [""]),))
    sql = f"SELECT folded FROM {index} WHERE part = %s ORDER BY id DESC LIMIT {SAMPLED}"  # noqa: S608
    return tx.fetch(sql, (part,))
