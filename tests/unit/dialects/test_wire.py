"""Reading bodies and queries: the shape, or an `Invalid` that names the field, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta

from trivium.base.errors import Invalid, Missing
from trivium.base.text import Language, say
from trivium.dialects.operation import Nothing, Request, Wire
from trivium.dialects.wire import MOST_CONTAINERS, BadText, Malformed, Mistyped, OutOfBounds, decode_body, decode_query


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(Wire, frozen=True, kw_only=True):
    size: int
    label: str = ""


class Shape(Wire, frozen=True, kw_only=True, rename="camel"):
    given_name: str
    count: int = 1
    share: float = 0.5
    is_on: bool = False
    note: str | None = None
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 20
    short: Annotated[str, Meta(max_length=5)] = ""
    colour: Colour = Colour.RED
    number: Literal[1, 2] = 1
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    either: int | str | None = None
    flag: bool | str | None = None
    anything: Any = None
    at: datetime | None = None
    who: UUID | None = None
    unset: int | msgspec.UnsetType = msgspec.UNSET


class Asked(Wire, frozen=True, kw_only=True):
    name: str | None = None
    page: int = 1
    on: bool | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    ids: tuple[int, ...] = ()
    kind: Colour | None = None


def request(*, body: bytes = b"", query: bytes = b"") -> Request:
    return Request(
        method="POST",
        path="/",
        raw_path=b"/",
        query=query,
        headers={},
        body=body,
        id="0" * 32,
        peer="",
        scheme="http",
        server=None,
    )


def read(**fields: Any) -> Shape:
    return decode_body(request(body=json.dumps({"givenName": "a", **fields}).encode()), Shape)


def refusal(body: bytes) -> Invalid:
    with pytest.raises(Invalid) as caught:
        decode_body(request(body=body), Shape)
    return caught.value


def outcome(body: bytes, shape: type[Wire] = Shape) -> object:
    """The shape, or the `Invalid`; anything else that is raised fails the test."""
    try:
        return decode_body(request(body=body), shape)
    except Invalid as error:
        return error


def query_outcome(query: bytes) -> object:
    try:
        return decode_query(request(query=query), Asked)
    except Invalid as error:
        return error


def ask(query: str) -> Asked:
    return decode_query(request(query=query.encode("latin-1")), Asked)


def test_what_is_not_sent_is_as_the_shape_has_it() -> None:
    assert read() == Shape(given_name="a")


def test_numbers_may_be_text_and_text_may_be_numbers() -> None:
    shape = read(count="7", share="0.25", note=12, pageSize=" 5 ", number="2", givenName=1.5)
    assert (shape.count, shape.share, shape.note, shape.page_size, shape.number) == (7, 0.25, "12", 5, 2)
    assert shape.given_name == "1.5"
    assert read(count=3.0).count == 3


@pytest.mark.parametrize("space", [" ", "\t", "\x1c", "\x1f", "\x85", "\xa0", "\u2003"])
def test_any_white_space_around_a_number_is_ignored(space: str) -> None:
    shape = read(count=f"{space}7{space}", share=f"{space}0.25{space}")
    assert (shape.count, shape.share) == (7, 0.25)


@pytest.mark.parametrize(("written", "meant"), [(True, True), ("tRue", True), ("fAlse", False), (False, False)])
def test_truth_may_be_text(written: object, meant: bool) -> None:
    assert read(isOn=written).is_on is meant


def test_null_is_as_good_as_absent_where_it_is_no_value() -> None:
    assert read(count=None, note=None, anything=None, parts=None, unset=None) == Shape(given_name="a")


def test_an_alternative_is_taken_as_it_is_written() -> None:
    assert (read(either=5).either, read(either="5").either, read(either=2.5).either) == (5, "5", "2.5")
    assert (read(flag=True).flag, read(flag="x").flag, read(flag=1).flag) == (True, "x", "1")


def test_nested_shapes_lists_and_dictionaries_are_read() -> None:
    shape = read(part={"size": "3"}, parts=[{"size": 1}, {"size": 2, "label": "b"}], labels={"a": 1}, colour="blue")
    assert shape.part == Part(size=3)
    assert shape.parts == (Part(size=1), Part(size=2, label="b"))
    assert (shape.labels, shape.colour) == ({"a": "1"}, Colour.BLUE)


def test_times_and_uuids_are_read() -> None:
    shape = read(at="2026-11-21T10:00:00Z", who="00000000-0000-4000-8000-000000000001")
    assert shape.at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert shape.who == UUID("00000000-0000-4000-8000-000000000001")


def test_unknown_fields_are_ignored_and_of_a_repeated_one_the_last_counts() -> None:
    body = b'{"givenName": "a", "givenName": "b", "unknown": "\\u0000"}'
    assert decode_body(request(body=body), Shape) == Shape(given_name="b")


def test_a_byte_order_mark_is_ignored() -> None:
    assert decode_body(request(body=b'\xef\xbb\xbf{"givenName": "a"}'), Shape) == Shape(given_name="a")


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_an_empty_object_unless_one_is_required(body: bytes) -> None:
    assert decode_body(request(body=body), Nothing) == Nothing()
    with pytest.raises(Missing) as caught:
        decode_body(request(body=body), Nothing, required=True)
    assert caught.value.field == "body"
    assert isinstance(refusal(body), Missing)


@pytest.mark.parametrize(
    ("field", "value", "named", "kind"),
    [
        ("givenName", None, "givenName", Missing),
        ("givenName", ["a"], "givenName", Mistyped),
        ("givenName", True, "givenName", Mistyped),
        ("givenName", "a\0b", "givenName", BadText),
        ("count", "seven", "count", Mistyped),
        ("count", "", "count", Mistyped),
        ("count", "1_0", "count", Mistyped),
        ("count", "٣", "count", Mistyped),
        ("count", 1.5, "count", Mistyped),
        ("count", True, "count", Mistyped),
        ("count", 1 << 63, "count", OutOfBounds),
        ("count", "9" * 19, "count", OutOfBounds),
        ("count", "9" * 5000, "count", Mistyped),
        ("count", 1e300, "count", OutOfBounds),
        ("share", "nan", "share", Mistyped),
        ("share", "1e999", "share", OutOfBounds),
        ("isOn", 1, "isOn", Mistyped),
        ("isOn", "yes", "isOn", Mistyped),
        ("pageSize", 0, "pageSize", OutOfBounds),
        ("pageSize", "1001", "pageSize", OutOfBounds),
        ("short", "123456", "short", OutOfBounds),
        ("colour", "green", "colour", OutOfBounds),
        ("colour", [], "colour", Mistyped),
        ("number", True, "number", Mistyped),
        ("number", 3, "number", OutOfBounds),
        ("part", "x", "part", Mistyped),
        ("part", {}, "part.size", Missing),
        ("part", {"size": "x"}, "part.size", Mistyped),
        ("parts", {}, "parts", Mistyped),
        ("parts", [{"size": 1}, {"size": []}], "parts[1].size", Mistyped),
        ("parts", [None], "parts[0]", Mistyped),
        ("labels", {"a": {}}, "labels.a", Mistyped),
        ("either", {}, "either", Mistyped),
        ("anything", {"a": ["b\0"]}, "anything.a[0]", BadText),
        ("anything", {"a\0": 1}, "anything", BadText),
        ("at", "yesterday", "at", Mistyped),
        ("who", "me", "who", Mistyped),
    ],
)
def test_a_refusal_names_the_field_as_the_wire_spells_it(
    field: str, value: Any, named: str, kind: type[Invalid]
) -> None:
    error = refusal(json.dumps({"givenName": "a", field: value}).encode())
    assert (error.field, type(error)) == (named, kind)


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nonsense", b"{} {}", b"[]", b'"text"', b"1", b"null", b'{"count": NaN}', b'{"count": Infinity}',
        b"\xff\xfe", b'{"givenName": "\xff"}', b'{"givenName": "\xed\xa0\x80"}', b'{"givenName": "\\ud800"}',
        b'{"givenName": "\\udc00x"}', b'{"count": 1e999}', b"{'a': 1}", pytest.param(b"[" * 100_000, id="deep lists"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"), pytest.param(b"9" * 10_000, id="many digits"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused_as_a_whole(body: bytes) -> None:
    error = refusal(body)
    assert (error.field, type(error)) in {("body", Malformed), ("body", Mistyped)}


def test_nesting_that_the_parser_bears_does_not_bring_us_down() -> None:
    for depth in (300, 600, 900):
        body = b'{"givenName": "a", "anything": ' + b"[" * depth + b"]" * depth + b"}"
        assert isinstance(outcome(body), (Shape, Malformed))


@pytest.mark.parametrize("empty", [b"[]", b"{}", b'{"":[]}'])
def test_a_body_of_nothing_but_lists_and_objects_is_refused_before_they_are_made(empty: bytes) -> None:
    each = empty.count(b"[") + empty.count(b"{")

    def body(most: int) -> bytes:
        return b'{"givenName":"a","anything":[' + b",".join([empty] * ((most - 2) // each)) + b"]}"

    assert isinstance(outcome(body(MOST_CONTAINERS)), Shape)
    assert isinstance(outcome(body(MOST_CONTAINERS + 2 * each)), Malformed)


def test_every_refusal_has_its_words_in_both_languages() -> None:
    for kind in (Missing, Malformed, Mistyped, OutOfBounds, BadText):
        for language in Language:
            assert say(kind.code, language, field="x", expected="y", bounds="z") != kind.code


def test_a_query_is_read() -> None:
    asked = ask("name=%E6%B5%8B+a%2Bb&page=3&on=TRUE&kind=blue&other=1")
    assert asked == Asked(name="测 a+b", page=3, on=True, kind=Colour.BLUE)


def test_a_repeated_name_fills_a_list_and_else_its_first_value_counts() -> None:
    asked = ask("tags=a,b&tags=c&ids=1&ids=2&page=4&page=5")
    assert (asked.tags, asked.ids, asked.page) == (["a,b", "c"], (1, 2), 4)


def test_an_empty_value_is_as_good_as_none_except_for_text() -> None:
    assert ask("page=&on=&kind=&ids=&name=&tags=") == Asked(name="", tags=[""])
    assert ask("page&name") == Asked(name="")


def test_a_condition_keeps_its_own_signs() -> None:
    assert ask("name=a=b%26c&tags=name~=%25x%").tags == ["name~=%x%"]
    assert ask("name=a=b%26c").name == "a=b&c"


@pytest.mark.parametrize(
    ("query", "field", "kind"),
    [
        ("page=x", "page", Mistyped),
        ("ids=1&ids=x", "ids[1]", Mistyped),
        ("on=1", "on", Mistyped),
        ("kind=green", "kind", OutOfBounds),
        ("name=%00", "name", BadText),
        ("name=%ff", "name", Malformed),
        ("name=\xff", "name", Malformed),
        ("%ff=1", "query", Malformed),
    ],
)
def test_a_refused_query_names_its_field(query: str, field: str, kind: type[Invalid]) -> None:
    with pytest.raises(Invalid) as caught:
        ask(query)
    assert (caught.value.field, type(caught.value)) == (field, kind)


class NotForQueries(Wire, frozen=True, kw_only=True):
    part: Part | None = None


class NotForWires(Wire, frozen=True, kw_only=True):
    data: bytes = b""


def test_a_shape_that_the_wire_cannot_carry_is_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        decode_query(request(query=b"part=1"), NotForQueries)
    with pytest.raises(TypeError):
        decode_body(request(), NotForWires)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(sorted(Shape.__struct_encode_fields__))


@given(st.dictionaries(names, json_values, max_size=6))
@example({"givenName": "\ud800"})
@example({"givenName": "\ud83d\ude00"})
def test_any_object_gives_the_shape_or_an_invalid(fields: dict[str, Any]) -> None:
    read = outcome(json.dumps(fields).encode())
    if isinstance(read, Invalid):
        assert read.field
    else:
        # What was let through is of the types that the shape says, and can be kept.
        written = msgspec.json.encode(read)
        assert msgspec.json.decode(written, type=Shape) == read
        assert b"\\u0000" not in written


@given(st.binary(max_size=200))
def test_any_bytes_give_the_shape_or_an_invalid(raw: bytes) -> None:
    assert isinstance(outcome(raw, Part), (Part, Invalid))
    assert isinstance(query_outcome(raw), (Asked, Invalid))


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(-(1 << 63), (1 << 63) - 1)
)
def test_whatever_is_asked_arrives(name: str, page: int) -> None:
    asked = ask(urlencode({"name": name, "page": page}))
    assert (asked.name, asked.page) == (name, page)
    assert ask(f"name={quote(name)}").name == name
