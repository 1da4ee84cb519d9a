"""Ways to the rows that match a pattern: what is asked of the index, decided from the pattern and a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from trivium.store.database import Flavour
from trivium.store.grams.choosing import Gram, apart, chosen, grams
from trivium.store.grams.declared import Grams
from trivium.store.searches import LONGEST, Sample
from trivium.store.transactions import Read

SAMPLED: Final = 256
"""Texts of a sample. To take it costs a millisecond or less, to ask it for a gram ten microseconds."""

FRESH: Final = timedelta(minutes=1)

LARGE: Final = 20_000
"""Rows up to which those of a part are counted for a sample on PostgreSQL, in some milliseconds."""

VAST: Final = 1_000_000
"""Rows that a part is taken to have where there are more."""

WALKED: Final = 0.35
"""What a row costs on PostgreSQL that is walked past in order, in units of one that is found and sorted."""

SPARE: Final = 4
"""How many times as many rows are walked as should be enough."""


class Kind(Enum):
    """What a way does."""

    MATCH = "match"  # asks the index, then holds the pattern against what is left
    ALONE = "alone"  # the same, and the index alone tells what is wanted: for totals
    WALK = "walk"  # goes along the newest rows of the part, so many and no further; PostgreSQL only


class Way(Struct, frozen=True, eq=False, kw_only=True):
    """A way, with its values in the order of its parameters."""

    grams: Grams
    kind: Kind
    parts: tuple[int, ...]
    values: tuple[Any, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """What the text of its statement depends on."""
        return (self.grams.index, self.kind, len(self.parts))


class Search(Struct, frozen=True, eq=False, kw_only=True):
    """A pattern that is looked for in some parts, and what it demands."""

    grams: Grams
    parts: tuple[int, ...]
    pattern: str
    runs: tuple[str, ...]
    is_plain: bool  # whether it only asks for the one run, anywhere


def for_page(tx: Read, search: Search, *, rows: int, in_order: bool) -> tuple[Way, ...]:
    """The ways to a page that ends after so many rows; each but the last may give too few of them.

    `in_order`: the page is sorted by the id alone.
    """
    found, sample = grams(search.runs), _sample(tx, search)
    if sample is None:
        return (_match(tx, search, apart(found)),)
    match = _match(tx, search, chosen(found, sample).grams)
    if tx.flavour is Flavour.SQLITE or not in_order or len(search.parts) > 1:
        return (match,)
    frequency = min(sample.share(len(sample.holding(run))) for run in search.runs)
    far = rows / frequency
    if far * WALKED > frequency * sample.rows:
        return (match,)
    values = (search.pattern, *search.parts, int(far * SPARE))
    return (_way(search, Kind.WALK, values), match)


def for_total(tx: Read, search: Search, *, alone: bool) -> Way:
    """The way to the number of all rows. `alone`: nothing else is asked, so the index may answer by itself."""
    found, sample = grams(search.runs), _sample(tx, search)
    choice = None if sample is None else chosen(found, sample)
    taken = apart(found) if choice is None else choice.grams
    if tx.flavour is Flavour.POSTGRESQL:
        return _match(tx, search, taken, kind=Kind.ALONE if alone else Kind.MATCH)
    if alone and search.is_plain and (len(found) == 1 or choice is None or choice.phrase < choice.cost):
        phrases = (_phrase(part, [gram.text for gram in found]) for part in search.parts)
        return _way(search, Kind.ALONE, (" OR ".join(phrases),))
    return _match(tx, search, taken)


def generation(tx: Read, search: Search) -> int:
    """A number that every committed change of the parts' texts makes larger."""
    mark = "?" if tx.flavour is Flavour.SQLITE else "%s"
    marks = ", ".join([mark] * len(search.parts))
    table = search.grams.generations
    sql = f"SELECT CAST(coalesce(sum(changes), 0) AS BIGINT) FROM {table} WHERE part IN ({marks})"  # noqa: S608
    return tx.fetch(sql, search.parts)[0][0]


def counted(tx: Read, search: Search, count: Callable[[], int]) -> int:
    """What `count` gives for a search that nothing else is asked with, or gave before: exact, of this view."""
    if tx.searches is None or len(search.pattern) > LONGEST:
        return count()
    key, now = (search.grams.index, search.parts, search.pattern), generation(tx, search)
    known = tx.searches.total(key, now)
    if known is not None:
        return known
    total = count()
    tx.searches.put_total(key, now, total)
    return total


def _match(tx: Read, search: Search, taken: Sequence[Gram], *, kind: Kind = Kind.MATCH) -> Way:
    texts = [gram.text for gram in taken]
    if tx.flavour is Flavour.SQLITE:
        asked = ("(" + " AND ".join(_phrase(part, [text]) for text in texts) + ")" for part in search.parts)
        return _way(search, kind, (" OR ".join(asked),))
    values: list[Any] = [search.pattern]
    for part in search.parts:
        values += part, part, texts
    return _way(search, kind, tuple(values))


def _way(search: Search, kind: Kind, values: tuple[Any, ...]) -> Way:
    return Way(grams=search.grams, kind=kind, parts=search.parts, values=values)


def _phrase(part: int, texts: Sequence[str]) -> str:
    """The grams one after the other, as SQLite's index has them."""
    return '"' + " ".join(f"{part}x{text.encode().hex()}" for text in texts) + '"'


def _sample(tx: Read, search: Search) -> Sample | None:
    """The sample of the parts, taken anew from time to time.

    None where nothing is remembered, and where there are so few rows that it does not matter.
    """
    if tx.searches is None:
        return None
    key = (search.grams.index, search.parts)
    sample = tx.searches.samples.get(key)
    if sample is None or sample.taken <= tx.now - FRESH:
        texts = [row[0] for part in search.parts for row in _newest(tx, search.grams, part)]
        sample = Sample(tuple(texts), tx.now, sum(_rows(tx, search.grams, part) for part in search.parts))
        tx.searches.samples.put(key, sample)
    return sample if len(sample.texts) >= SAMPLED else None


def _rows(tx: Read, declared: Grams, part: int) -> int:
    """About how many rows the part has, where something is decided by that."""
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
