"""How SCNet writes and reads times, sizes and numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from trivium.base.errors import Invalid, Missing
from trivium.base.query import Offset
from trivium.base.units import GIB, MIB
from trivium.dialects.scnet import spelling
from trivium.dialects.scnet.errors import NotFlag, NotId, OutOfRange

NOON = datetime(2025, 3, 2, 12, 0, tzinfo=UTC)


def test_a_time_is_written_in_the_zone_of_china() -> None:
    assert spelling.time_text(datetime(2025, 3, 2, 16, 10, 20, 999_999, tzinfo=UTC)) == "2025-03-03 00:10:20"


@pytest.mark.parametrize(
    ("left", "written"),
    [
        (timedelta(days=28, hours=20, minutes=17, seconds=59), "28天20小时17分钟"),
        (timedelta(minutes=1), "0天0小时1分钟"),
        (timedelta(seconds=59), "0天0小时0分钟"),
        (timedelta(days=-1), "0天0小时0分钟"),
    ],
)
def test_a_countdown_is_written_in_days_hours_and_minutes(left: timedelta, written: str) -> None:
    assert spelling.countdown(NOON + left, NOON) == written


def test_where_nothing_is_counted_down_there_is_no_countdown() -> None:
    assert spelling.countdown(None, NOON) is None


def test_a_duration_is_written_with_as_many_hours_as_it_takes() -> None:
    assert spelling.duration(timedelta(days=4, minutes=3, seconds=2)) == "96:03:02"
    assert spelling.duration(None) is None


@pytest.mark.parametrize(
    ("size", "written"), [(110 * GIB, "110GB"), (GIB * 3 // 2, "1.5GB"), (512 * MIB, "512MB"), (1023 * GIB, "1023GB")]
)
def test_memory_is_written_in_gb(size: int, written: str) -> None:
    assert spelling.memory(size) == written


@pytest.mark.parametrize(("millicores", "written"), [(24_000, "24"), (500, "0.5"), (128_000, "128")])
def test_cores_are_written_without_needless_zeros(millicores: int, written: str) -> None:
    assert spelling.cores(millicores) == written


def test_milliseconds_are_written_as_text() -> None:
    assert spelling.milliseconds(datetime(2025, 3, 2, 12, 0, 0, 1_999, tzinfo=UTC)) == "1740916800001"


@pytest.mark.parametrize("value", ["x", "1.5", "-1", "+1", " 1", "1 ", "0", "11", "1" * 19, "٣"])
def test_what_is_no_number_in_the_range_is_refused(value: str) -> None:
    with pytest.raises(OutOfRange) as refusal:
        spelling.whole(value, "page", least=1, most=10)
    assert refusal.value.details == {"field": "page", "least": 1, "most": 10}


def test_an_absent_number_is_none_and_a_required_one_is_missed() -> None:
    assert spelling.whole(None, "page", least=1, most=10) is None
    assert spelling.whole("", "page", least=1, most=10) is None
    with pytest.raises(Missing):
        spelling.required_whole("", "port", least=1, most=10)


@pytest.mark.parametrize(("value", "meant"), [(True, True), ("true", True), ("False", False), (None, True), ("", True)])
def test_a_flag_is_read_as_truth_value_or_text(value: bool | str | None, meant: bool) -> None:
    assert spelling.flag(value, "mountHome", default=True) is meant


def test_another_word_is_no_flag() -> None:
    with pytest.raises(NotFlag):
        spelling.flag("yes", "saveEnv", default=False)


@pytest.mark.parametrize("value", ["0", "-1", "12a", "9" * 20, str(1 << 63)])
def test_what_no_row_can_have_is_no_id(value: str) -> None:
    with pytest.raises(NotId):
        spelling.row_id(value, "id")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_id_is_missed(value: str | None) -> None:
    with pytest.raises(Missing):
        spelling.row_id(value, "id")


def test_pages_are_counted_from_one() -> None:
    assert spelling.numbered_page(None, None) == Offset(limit=20, offset=0)
    assert spelling.numbered_page("3", "50") == Offset(limit=50, offset=100)


@pytest.mark.parametrize("read", [spelling.numbered_page, spelling.page_from])
def test_the_range_that_is_told_of_a_page_is_the_range_that_is_taken(read: Callable[[str, str], Offset]) -> None:
    with pytest.raises(OutOfRange) as refusal:
        read("9" * 19, "1")
    most = refusal.value.details["most"]
    assert read(str(most), "1").limit == 1
    with pytest.raises(OutOfRange):
        read(str(int(str(most)) + 1), "1")


def test_a_page_far_beyond_the_end_is_still_one_that_databases_can_count_to() -> None:
    page = spelling.numbered_page("9" * 18, "1000")
    assert (1 << 61) < page.offset < (1 << 63)


def test_offsets_are_counted_from_zero() -> None:
    assert spelling.page_from(None, None) == Offset(limit=20, offset=0)
    assert spelling.page_from("7", "3") == Offset(limit=3, offset=7)


def test_a_word_is_known_whatever_its_case() -> None:
    assert spelling.one_of("DCU", "acceleratorType", ("cpu", "dcu")) == "dcu"
    assert spelling.one_of("", "acceleratorType", ("cpu", "dcu")) is None
    with pytest.raises(Invalid):
        spelling.one_of("tpu", "acceleratorType", ("cpu", "dcu"))
