"""Conditions that samples are sought by: `search_conditions`, as lists of samples and exports have them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import msgspec

from trivium.base import json
from trivium.base.caller import Caller
from trivium.base.errors import Missing
from trivium.dialects.modelarts.datasets.finding import LABEL_TYPES
from trivium.dialects.modelarts.errors import NoSuchCondition
from trivium.dialects.modelarts.spelling import Text, one_of
from trivium.dialects.operation import Wire
from trivium.dialects.reading import Json, OutOfBounds, shape_reader
from trivium.resources.datasets import Buckets
from trivium.resources.datasets.ports import LabelType
from trivium.resources.samples import Range, Sought, SoughtLabel, SoughtLabels, SoughtProperties

FIELD: Final = "search_conditions"
MOST: Final = 16
"""Conditions of one request; and what each of their lists may have."""

MOST_PARTS: Final = 48
"""What all conditions of a request may say: a query has room for that, and for what else a list is asked."""

DAY: Final = timedelta(days=1)
PERIODS: Final = {"day": 1 * DAY, "month": 30 * DAY}
LONGEST: Final = 30 * DAY
DATES: Final = re.compile(r"([0-9]{8})-([0-9]{8})")
RANGE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,20})?)-([0-9]{1,3}(?:\.[0-9]{1,20})?)")
NAME: Final = re.compile(r'[^"\\]{1,256}')
OPS: Final = ("AND", "OR")


class SearchLabelBody(Wire, frozen=True, kw_only=True):
    """A label that is sought."""

    name: Text = None
    type: int | None = None
    op: Text = None
    property: dict[str, Any] | None = None


class SearchLabelsBody(Wire, frozen=True, kw_only=True):
    """Labels that are sought."""

    labels: tuple[SearchLabelBody, ...] | None = None
    op: Text = None


class SearchPropBody(Wire, frozen=True, kw_only=True):
    """Metadata that are sought: lists of values by their names."""

    props: dict[str, Any] | None = None
    op: Text = None


class SearchConditionBody(Wire, frozen=True, kw_only=True):
    """A condition; all that it says must hold."""

    coefficient: Text = None
    hard: Text = None
    label_list: SearchLabelsBody | None = None
    metadata: SearchPropBody | None = None
    sample_dir: Text = None
    sample_name: Text = None
    sample_time: Text = None
    score: Text = None


class Seeking:
    """Reads conditions, whose places are looked up in the buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def of_text(self, text: Text, caller: Caller, now: datetime) -> tuple[Sought, ...]:
        """What the JSON of a query asks for; a sample must satisfy each. Raises what `of_list` raises."""
        if not (text or "").strip():
            return ()
        try:
            given: Json = json.decode(text or "")
        except (msgspec.DecodeError, RecursionError) as error:
            raise OutOfBounds(FIELD, "a list of conditions in JSON") from error
        conditions = cast("list[Json]", given if isinstance(given, list) else [given])
        return self.of_list(conditions, caller, now, at=FIELD)

    def of_list(self, given: Sequence[Json], caller: Caller, now: datetime, *, at: str) -> tuple[Sought, ...]:
        """What conditions ask for.

        Raises `Mistyped`, `Missing`, `OutOfBounds`, `NotOneOf`, `BadPlace`, `NoSuchBucket`, and `NoSuchCondition` for
        what samples are not sought by here.
        """
        if len(given) > MOST:
            raise OutOfBounds(at, f"of at most {MOST} conditions")
        places = [f"{at}[{place}]" for place in range(len(given))]
        found = tuple(self._sought(one, caller, now, at=place) for one, place in zip(given, places, strict=True))
        if sum(map(_parts, found)) > MOST_PARTS:
            raise OutOfBounds(at, f"of at most {MOST_PARTS} things that are sought")
        return found

    def _sought(self, given: Json, caller: Caller, now: datetime, *, at: str) -> Sought:
        body = _read(given, at)
        since, before = _times(body.sample_time, now, f"{at}.sample_time")
        return Sought(
            since=since,
            before=before,
            score=_range(body.score, f"{at}.score"),
            coefficient=_range(body.coefficient, f"{at}.coefficient"),
            hard=_flag(body.hard, f"{at}.hard"),
            name=body.sample_name or None,
            folder=self._folder(body.sample_dir, caller, f"{at}.sample_dir"),
            labels=_labels(body.label_list, f"{at}.label_list"),
            properties=_properties(body.metadata, f"{at}.metadata"),
        )

    def _folder(self, place: Text, caller: Caller, at: str) -> str | None:
        if not place:
            return None
        if not place.endswith("/"):
            raise OutOfBounds(at, "a directory, which ends with a slash")
        return self._buckets.path(caller, place, field=at)


def _parts(sought: Sought) -> int:
    """How much there is to compare; times and numbers have two ends."""
    given = (sought.since, sought.before, sought.score, sought.score, sought.hard, sought.name)
    return sum(one is not None for one in given) + (0 if sought.labels is None else len(sought.labels.labels))


def _read(given: Json, at: str) -> SearchConditionBody:
    """A condition of which nothing is passed over."""
    try:
        body: SearchConditionBody = shape_reader(SearchConditionBody)(given, at)
    except RecursionError as error:
        raise OutOfBounds(at, "less deep") from error
    _check_known(given, SearchConditionBody, at)
    if body.metadata is not None:
        _check_known(given["metadata"], SearchPropBody, f"{at}.metadata")
    if body.label_list is not None:
        _check_known(given["label_list"], SearchLabelsBody, f"{at}.label_list")
        for place in range(len(body.label_list.labels or ())):
            _check_known(given["label_list"]["labels"][place], SearchLabelBody, f"{at}.label_list.labels[{place}]")
    return body


def _check_known(given: Json, shape: type[Wire], at: str) -> None:
    """Raise `NoSuchCondition` for what an object says under another name than the shape has."""
    for name, value in given.items():
        if name not in shape_reader(shape).fields and value not in (None, ""):
            raise NoSuchCondition(f"{at}.{name}")


def _times(text: Text, now: datetime, at: str) -> tuple[datetime | None, datetime | None]:
    """The beginning of the first day in UTC, and the end of the last."""
    if not text:
        return None, None
    if text.lower() in PERIODS:
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - PERIODS[text.lower()], today + DAY
    found = _days(text)
    if found is None or not timedelta(0) <= found[1] - found[0] <= LONGEST:
        raise OutOfBounds(at, f"day, month or yyyyMMdd-yyyyMMdd, of at most {LONGEST.days} days")
    return found[0], found[1] + DAY


def _days(text: str) -> tuple[datetime, datetime] | None:
    """The beginnings of two days."""
    found = DATES.fullmatch(text)
    with suppress(ValueError):
        if found and not found[2].startswith("9999"):  # after which there may be no day
            return _day(found[1]), _day(found[2])
    return None


def _day(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)


def _range(text: Text, at: str) -> Range | None:
    if not text:
        return None
    found = RANGE.fullmatch(text.replace(" ", ""))
    least, most = (float(found[1]), float(found[2])) if found else (math.inf, 0.0)
    if not 0 <= least <= most <= 1:
        raise OutOfBounds(at, "two numbers from 0 to 1 with a hyphen between them, the smaller first")
    return Range(least=least, most=most)


def _flag(text: Text, at: str) -> bool | None:
    if not text:
        return None
    if text not in ("0", "1"):
        raise OutOfBounds(at, "0 or 1")
    return text == "1"


def _labels(body: SearchLabelsBody | None, at: str) -> SoughtLabels | None:
    if body is None:
        return None
    given = body.labels or ()
    every = _is_every(body.op, at, "labels", number=len(given))
    return SoughtLabels(
        labels=tuple(_label(one, f"{at}.labels[{place}]") for place, one in enumerate(given)), every=every
    )


def _label(body: SearchLabelBody, at: str) -> SoughtLabel:
    if body.property:
        raise NoSuchCondition(f"{at}.property")
    if not body.name:
        raise Missing(f"{at}.name")
    if body.type is not None and body.type not in LABEL_TYPES:
        raise OutOfBounds(f"{at}.type", f"one of {', '.join(map(str, LABEL_TYPES))}")
    return SoughtLabel(name=body.name, type=None if body.type is None else LabelType(body.type))


def _properties(body: SearchPropBody | None, at: str) -> SoughtProperties | None:
    if body is None:
        return None
    given = body.props or {}
    every = _is_every(body.op, at, "props", number=len(given))
    return SoughtProperties(
        values={_name(name, f"{at}.props"): _values(given[name], f"{at}.props.{name}") for name in given}, every=every
    )


def _is_every(op: Text, at: str, name: str, *, number: int) -> bool:
    """Whether all of so many are wanted, and not one of them. `Missing`, `OutOfBounds`, `NotOneOf`."""
    if not number:
        raise Missing(f"{at}.{name}")
    if number > MOST:
        raise OutOfBounds(f"{at}.{name}", f"of at most {MOST}")
    found = one_of(op, f"{at}.op", OPS)
    if found is None and number > 1:
        raise Missing(f"{at}.op")
    return found != "OR"


def _name(name: str, at: str) -> str:
    if not NAME.fullmatch(name):
        raise OutOfBounds(at, "by names of 1 to 256 characters, without quotation marks and backslashes")
    return name


def _values(values: Json, at: str) -> tuple[str, ...] | None:
    """Values of which a sample has one; None where any will do."""
    if values is None:
        return None
    found = cast("list[Json]", values if isinstance(values, list) else [])
    if not 1 <= len(found) <= MOST or not all(isinstance(one, str) for one in found):
        raise OutOfBounds(at, f"a list of 1 to {MOST} texts, or null for any value")
    return tuple(found)
