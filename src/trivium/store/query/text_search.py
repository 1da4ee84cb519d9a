"""Conditions on substrings: which of them the index of grams is used for, and by which access paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trivium.base.query import Op
from trivium.store.fields import Resource
from trivium.store.grams import access_paths
from trivium.store.grams.access_paths import AccessPath, Search
from trivium.store.query import patterns
from trivium.store.query.scopes import Bound, Condition
from trivium.store.query.validation import Match, Part, Shape
from trivium.store.transactions import Read


def paths_to_page(
    tx: Read, resource: Resource, scope: Sequence[Condition], *, shape: Shape, values: Sequence[Any]
) -> tuple[AccessPath | None, ...]:
    """The access paths to try until one gives enough rows; None for the plain statement, without an index of grams.

    The values are those of the conditions, then those of the page, its limit (with one row more) and offset last.
    """
    search = None if shape.group else _search(resource, scope, where=shape.where, values=values)
    if search is None:
        return (None,)
    rows = values[-2] + values[-1]
    return access_paths.for_page(tx, search, rows=rows, in_order=_is_by_id(shape))


def total(
    tx: Read,
    resource: Resource,
    scope: Sequence[Condition],
    *,
    where: tuple[Part, ...],
    values: Sequence[Any],
    count: Callable[[AccessPath | None], int],
) -> int:
    """The exact total: cached from before where it still holds, else what `count` returns for an access path."""
    search = _search(resource, scope, where=where, values=values)
    if search is None:
        return count(None)
    alone = len(where) == 1 and len(scope) == 1
    if not alone:
        return count(access_paths.for_total(tx, search, alone=False))
    return access_paths.counted(tx, search, lambda: count(access_paths.for_total(tx, search, alone=True)))


def _search(
    resource: Resource, scope: Sequence[Condition], *, where: Sequence[Part], values: Sequence[Any]
) -> Search | None:
    """The search for the most selective condition (the longest text), in the parts that the scope has."""
    if not any(isinstance(match, Match) and match.op in (Op.LIKE, Op.CONTAINS) for match in where):
        return None
    parts = next((found for part in scope if isinstance(part, Bound) and (found := part.parts)), ())
    if not parts:
        return None
    best: Search | None = None
    place = 0
    for match in where:
        pattern, place = place, place + match.values
        if not isinstance(match, Match) or match.op not in (Op.LIKE, Op.CONTAINS) or "." in match.path:
            continue
        grams = resource.field(match.path).grams
        if grams is None:
            continue
        text = values[pattern]
        runs = patterns.runs(text)
        if runs and (best is None or max(map(len, runs)) > max(map(len, best.runs))):
            plain = patterns.is_substring(text)
            best = Search(grams=grams, parts=parts, pattern=text, runs=runs, is_plain=plain)
    return best


def _is_by_id(shape: Shape) -> bool:
    """Whether the page is sorted by the id alone."""
    return not shape.order or shape.order[0][0] == "id"
