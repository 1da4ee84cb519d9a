"""Pages, orders, places to continue at, quantities, words and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base.keyring import Keyring
from trivium.base.query import After, Offset, Order
from trivium.dialects.modelarts import paging, quantities, sorting
from trivium.dialects.modelarts.continuing import LIFETIME, STEP, Continuations, Key
from trivium.dialects.modelarts.errors import BadContinue, NotOneOf, NotSortable
from trivium.dialects.modelarts.paging import Counts
from trivium.dialects.modelarts.quantities import BadQuantity
from trivium.dialects.modelarts.spelling import milliseconds, one_of, rfc3339
from trivium.dialects.reading import OutOfBounds
from trivium.dialects.rendered import EVER, FOREVER, Page

NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
CONTINUATIONS = Continuations(Keyring(bytes(32)))
FIELDS = {"create_at": ("id",), "name": ("name",), "flavor": ("kind", "units"), "feature": ()}


@pytest.mark.parametrize(
    ("limit", "offset", "total", "current", "pages"),
    [(10, 0, 2, 0, 1), (2, 8, 107, 4, 54), (10, 0, 0, 0, 0), (10, 10, 20, 1, 2), (1, 5, 3, 5, 3)],
    ids=["the seed's notebooks", "the seed's images", "nothing", "the second page", "past the end"],
)
def test_the_numbers_of_a_page_are_the_seeds(limit: int, offset: int, total: int, current: int, pages: int) -> None:
    counted = paging.counts(Offset(limit=limit, offset=offset), total)
    assert counted == Counts(current=current, pages=pages, size=limit, total=total)


@pytest.mark.parametrize(("total", "pages"), [(3, 1), (1, 1), (0, 0)])
def test_a_list_without_a_limit_is_one_page_and_the_first(total: int, pages: int) -> None:
    assert paging.whole(total) == Counts(current=1, pages=pages, size=total, total=total)


def test_a_page_has_its_default_size_and_bounds() -> None:
    assert paging.offset_page(None, None, default=10) == Offset(limit=10, offset=0)
    assert paging.offset_page(50, 1 << 63, default=10) == Offset(limit=50, offset=paging.FURTHEST)
    for limit, offset in ((0, 0), (1001, 0), (-1, 0), (10, -1)):
        with pytest.raises(OutOfBounds):
            paging.offset_page(limit, offset, default=10)


def test_an_order_is_of_several_fields_in_one_direction() -> None:
    found = sorting.orders("name,flavor", "asc", FIELDS, default="create_at")
    assert found == (Order(field="name"), Order(field="kind"), Order(field="units"))
    newest = (Order(field="id", descending=True),)
    assert sorting.orders(None, None, FIELDS, default="create_at") == newest
    assert sorting.orders("feature", "DESC", FIELDS, default="create_at") == newest


@pytest.mark.parametrize("keys", ["token", "name;drop", "a" * 129, "name, flavor", "名"])
def test_what_is_no_field_is_no_order(keys: str) -> None:
    with pytest.raises(NotSortable):
        sorting.orders(keys, None, FIELDS, default="create_at")
    with pytest.raises(NotOneOf):
        sorting.orders("name", "UP", FIELDS, default="create_at")


KEYS: list[Key] = [
    (7,),
    ("中", 1.5, None, True, 9),
    (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), UUID(int=5), (1 << 63) - 1),
]


@pytest.mark.parametrize("key", KEYS)
def test_a_place_stands_for_its_key_until_it_is_too_old(key: Key) -> None:
    place = CONTINUATIONS.place(key, of="nodes of a", now=NOW)
    late = NOW + LIFETIME - timedelta(microseconds=1)
    assert CONTINUATIONS.key(place, of="nodes of a", now=late) == key
    with pytest.raises(BadContinue):
        CONTINUATIONS.key(place, of="nodes of a", now=NOW + LIFETIME + STEP)


def test_places_of_a_row_are_one_place_for_a_while_and_pages_last_as_long() -> None:
    begin = datetime(2026, 1, 2, 3, 10, tzinfo=UTC)
    end = begin + STEP
    late = end - timedelta(microseconds=1)
    made = {CONTINUATIONS.place((7,), of="nodes", now=now) for now in (begin, late)}
    assert len(made) == 1
    assert CONTINUATIONS.place((7,), of="nodes", now=end) not in made
    page = Page(records=[], since=EVER, until=FOREVER)
    lasting = CONTINUATIONS.lasting(page, None, of="nodes", goes_on=True, now=late)
    assert (lasting.since, lasting.until) == (begin, end)


def test_a_page_lasts_no_longer_than_the_place_that_it_is_after_is_good() -> None:
    place = CONTINUATIONS.place((7,), of="nodes", now=NOW)
    page = Page(records=[], since=EVER, until=FOREVER)
    lasting = CONTINUATIONS.lasting(page, place, of="nodes", goes_on=False, now=NOW)
    last = lasting.until - timedelta(microseconds=1)
    assert CONTINUATIONS.key(place, of="nodes", now=last) == (7,)
    with pytest.raises(BadContinue):
        CONTINUATIONS.key(place, of="nodes", now=lasting.until)
    assert CONTINUATIONS.lasting(page, None, of="nodes", goes_on=False, now=NOW).until == FOREVER


def test_a_place_is_good_for_its_own_list_and_site_alone() -> None:
    place = CONTINUATIONS.place((7,), of="nodes of a", now=NOW)
    with pytest.raises(BadContinue):
        CONTINUATIONS.key(place, of="nodes of b", now=NOW)
    with pytest.raises(BadContinue):
        Continuations(Keyring(bytes([1]) * 32)).key(place, of="nodes of a", now=NOW)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_place_that_was_changed_is_none(at: int, letter: str) -> None:
    place = CONTINUATIONS.place((7, "x"), of="nodes", now=NOW)
    changed = place[: at % len(place)] + letter + place[at % len(place) + 1 :]
    if changed != place:
        with pytest.raises(BadContinue):
            CONTINUATIONS.key(changed, of="nodes", now=NOW)


def test_a_place_is_spelt_in_one_way() -> None:
    places = [CONTINUATIONS.place((number,), of="nodes", now=NOW) for number in range(64)]
    for place in places:
        other = place.replace("-", "+").replace("_", "/")
        for changed in {other, place + "=", place + "A"} - {place}:
            with pytest.raises(BadContinue):
                CONTINUATIONS.key(changed, of="nodes", now=NOW)


@given(st.text(max_size=5000))
def test_what_is_no_place_is_refused(text: str) -> None:
    if text:
        with pytest.raises(BadContinue):
            CONTINUATIONS.key(text, of="nodes", now=NOW)


def test_a_page_begins_at_the_beginning_or_after_a_place() -> None:
    assert CONTINUATIONS.page("", None, of="nodes", now=NOW) == Offset(limit=500)
    assert CONTINUATIONS.page(None, 0, of="nodes", now=NOW) == Offset(limit=500)
    place = CONTINUATIONS.place((7,), of="nodes", now=NOW)
    assert CONTINUATIONS.page(place, 2, of="nodes", now=NOW) == After(limit=2, key=(7,))
    for limit in (-1, 501):
        with pytest.raises(OutOfBounds):
            CONTINUATIONS.page(None, limit, of="nodes", now=NOW)


def test_the_last_page_says_nothing_of_what_comes_after_it() -> None:
    assert msgspec.json.encode(CONTINUATIONS.metadata(None, remaining=0, of="nodes", now=NOW)) == b"{}"
    told = msgspec.json.decode(msgspec.json.encode(CONTINUATIONS.metadata((7,), remaining=3, of="nodes", now=NOW)))
    assert told["remainingItemCount"] == 3
    assert CONTINUATIONS.key(told["continue"], of="nodes", now=NOW) == (7,)


@pytest.mark.parametrize(("millicores", "text"), [(3920, "3920m"), (4000, "4"), (0, "0"), (500, "500m")])
def test_cores_are_quantities(millicores: int, text: str) -> None:
    assert quantities.cores(millicores) == text
    assert quantities.read_millicores(text, "cpu") == millicores


@pytest.mark.parametrize(
    ("size", "text"), [(6270 << 20, "6270Mi"), (64 << 30, "64Gi"), (0, "0"), (1536, "1Ki"), (3 << 40, "3072Gi")]
)
def test_memory_is_a_quantity(size: int, text: str) -> None:
    assert quantities.memory(size) == text


@pytest.mark.parametrize(
    ("text", "size"), [("1Ki", 1024), ("1.5Gi", 3 << 29), ("1k", 1000), ("1e3", 1000), ("2E", 2 * 10**18), ("1m", 1)]
)
def test_a_quantity_is_read_in_every_unit(text: str, size: int) -> None:
    assert quantities.read_bytes(text, "memory") == size


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1gi", "--1", "1e400", "1.5.5", "٣", "9" * 40])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity):
        quantities.read(text, "memory")


def test_words_are_taken_in_any_case_and_no_others_are() -> None:
    assert one_of(" running ", "status", ("RUNNING", "STOPPED")) == "RUNNING"
    assert one_of("", "status", ("RUNNING",)) is one_of(None, "status", ("RUNNING",)) is None
    with pytest.raises(NotOneOf):
        one_of("walking", "status", ("RUNNING",))


def test_times_are_milliseconds_or_rfc_3339() -> None:
    at = datetime(2022, 9, 16, 13, 32, 44, 678901, tzinfo=timezone(timedelta(hours=8)))
    assert rfc3339(at) == "2022-09-16T05:32:44Z"
    assert rfc3339(at, digits=6) == "2022-09-16T05:32:44.678901Z"
    assert milliseconds(at) == 1663306364678
