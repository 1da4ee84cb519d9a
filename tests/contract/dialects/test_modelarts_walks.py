"""ModelArts' lists walked a row at a time, while rows come and go between one page and the next.

With `continue` no row comes twice and none that stands is missed, wherever rows come and go. `offset` cannot promise
so much: it counts rows, so each that comes before the place where a walk is shows a row again, and each that goes from
there leaves one out. What it promises is a slice of one order, which standing rows never change among themselves; so
nothing is shown again or left out where rows come and go only after that place. That is how lists sorted oldest first
grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import inspect

from tests.builders import place
from tests.contract.dialects.walked import BY_OFFSET, BY_PLACE, Town, Walk, ids_of
from tests.fuzz.huawei import operations

AT: Final = (2, 4)  # pages after which rows come and go


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    with place(database_url) as here:
        yield Town(here, tmp_path)


class Walker:
    """Somebody who goes through a list."""

    def __init__(self, town: Town, operation: str, walk: Walk) -> None:
        self._town = town
        self._operation = operation
        self.walk = walk

    async def asked(self, **page: object) -> Any:
        """A page, as it is answered."""
        return await self._town.asked(self._operation, self.walk.query | page, self.walk.names)

    async def page(self, **page: object) -> list[str]:
        """The rows of a page."""
        return ids_of(self._operation, await self.asked(**page))

    async def whole(self) -> list[str]:
        """All rows as they are now."""
        return await self.page(limit=self.walk.most)

    def rows(self, answer: Any) -> list[str]:
        """The rows of an answer."""
        return ids_of(self._operation, answer)


def walker(town: Town, listed: tuple[str, Callable[[Town], Walk]]) -> Walker:
    """Somebody who goes through a list that has rows in it."""
    operation, fill = listed
    return Walker(town, operation, fill(town))


async def by_offset(who: Walker, churn: Callable[[list[str], list[str]], None]) -> list[str]:
    """What a walk shows; `churn` acts on what was shown and on what was not, after some of the pages."""
    shown: list[str] = []
    while True:
        found, there = await who.page(limit=1, offset=len(shown)), await who.whole()
        assert found == there[len(shown) :][:1]  # a page is a slice of the list as it is
        if not found:
            return shown
        shown += found
        if len(shown) in AT:
            churn([id for id in there if id in shown], [id for id in there if id not in shown])
            assert in_one_order(there, await who.whole())


def in_one_order(before: list[str], after: list[str]) -> bool:
    """Whether the rows that stand come in the same order."""
    return [id for id in before if id in after] == [id for id in after if id in before]


def taken(walk: Walk, ids: list[str]) -> list[str]:
    """One of the rows is taken away, if one can be: which."""
    able = walk.can_go(ids)
    which = [id for id in ids if id in able][:1]
    for id in which:
        assert walk.gone is not None
        walk.gone(id)
    return which


@pytest.mark.parametrize("name", BY_OFFSET)
async def test_by_offset_nothing_is_shown_again_or_left_out_where_rows_come_and_go_behind(
    town: Town, name: str
) -> None:
    who = walker(town, BY_OFFSET[name])
    walk = who.walk
    before = await who.whole()
    gone: list[str] = []

    def churn(_shown: list[str], to_come: list[str]) -> None:
        gone.extend(taken(walk, to_come))
        if walk.last:
            walk.last()

    shown = await by_offset(who, churn)
    after = await who.whole()
    assert len(set(shown)) == len(shown)
    assert shown == after
    assert set(before) - set(gone) <= set(shown)
    assert bool(gone) == (walk.gone is not None)
    assert (set(after) - set(before) != set()) == (walk.last is not None)


@pytest.mark.parametrize("name", BY_OFFSET)
async def test_by_offset_each_row_that_comes_in_front_shows_one_again_and_leaves_none_out(
    town: Town, name: str
) -> None:
    who = walker(town, BY_OFFSET[name])
    walk = who.walk
    if walk.first is None:
        assert walk.last is not None
        return
    before, first = await who.whole(), walk.first
    came: list[None] = []

    def churn(_shown: list[str], _to_come: list[str]) -> None:
        if not came:  # one is enough, and flavors have no more
            first()
            came.append(None)

    shown = await by_offset(who, churn)
    assert len(shown) == len(set(shown)) + 1
    assert set(before) == set(shown)


@pytest.mark.parametrize("name", BY_OFFSET)
async def test_by_offset_each_row_that_goes_in_front_leaves_one_out_and_shows_none_again(town: Town, name: str) -> None:
    who = walker(town, BY_OFFSET[name])
    walk = who.walk
    before = await who.whole()
    gone: list[str] = []

    def churn(shown: list[str], _to_come: list[str]) -> None:
        gone.extend(taken(walk, shown))

    shown = await by_offset(who, churn)
    assert len(set(shown)) == len(shown)
    assert len(set(before) - set(shown)) == len(gone)


@pytest.mark.parametrize("name", BY_PLACE)
async def test_by_continue_nothing_is_shown_again_or_left_out_wherever_rows_come_and_go(town: Town, name: str) -> None:
    who = walker(town, BY_PLACE[name])
    walk = who.walk
    before = await who.whole()
    shown: list[str] = []
    gone: dict[str, int] = {}  # what was taken away, and after which page
    token = ""
    while True:
        answer = await who.asked(limit=1, **{"continue": token})
        shown += who.rows(answer)
        there = await who.whole()
        assert answer["metadata"].get("remainingItemCount", 0) == len(there) - there.index(shown[-1]) - 1
        if "continue" not in answer["metadata"]:
            break
        token = answer["metadata"]["continue"]
        if len(shown) in AT:
            for some in (shown[-1:], shown[:1], there[-1:]):  # the row that the place is after, too
                gone |= dict.fromkeys(taken(walk, [id for id in some if id not in gone]), len(shown))
            for come in (walk.first, walk.last):
                if come:
                    come()
            assert in_one_order(there, await who.whole())
    after = await who.whole()
    assert len(set(shown)) == len(shown)
    assert set(before) - set(gone) <= set(shown)
    assert all(shown.index(id) < page for id, page in gone.items() if id in shown)
    assert bool(gone) == (walk.gone is not None)
    if walk.last:
        assert after[-1] not in before
        assert shown[-1] == after[-1]


def test_every_list_that_pages_is_walked() -> None:
    pages = {one.name: fields for one in operations() if "limit" in (fields := names_of(one.query))}
    by_place = {name for name, fields in pages.items() if "continue" in fields}
    assert {operation for operation, _ in BY_PLACE.values()} == by_place
    assert {operation for operation, _ in BY_OFFSET.values()} == set(pages) - by_place


def names_of(shape: type[Any]) -> frozenset[str]:
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    return frozenset(one.encode_name for one in info.fields)
