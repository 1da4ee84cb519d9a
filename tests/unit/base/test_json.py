"""JSON of strangers is read as msgspec reads it, and no number in it costs much more than another."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trivium.base import json
from trivium.base.errors import Invalid
from trivium.dialects.operation import Nothing, Request
from trivium.dialects.wire import decode_body
from trivium.dialects.zstack.parameters import chosen
from trivium.drivers.exports import coco

HOSTILE = (b"1e300", b"8.5e307", b"-1e308", b"4e-320", b"9999999999999999999e289")
OFTEN = 5000
TIMES = 30
"""What such a number may cost more than another: thrice as much here, and 50 to 300 times as much by msgspec alone."""


class Scored(msgspec.Struct):
    """A shape that says itself what is a float."""

    a: list[float | str]


def in_parameters(raw: bytes) -> None:
    with pytest.raises((Invalid, IndexError)):  # it is read; then there is no API that would take it
        chosen(_request(raw), ())


def in_lines(raw: bytes) -> None:
    line = b'{"source":"a","property":%b}\n' % raw
    coco.write(io.BytesIO(line), io.BytesIO(), folder="")


READERS: dict[str, Callable[[bytes], object]] = {
    "anything": json.decode,
    "shapes": lambda raw: json.decode_as(raw, Scored),
    "bodies": lambda raw: decode_body(_request(raw), Nothing),
    "parameters": in_parameters,
    "lines": in_lines,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("number", HOSTILE)
def test_no_number_costs_much_more_than_another(reader: str, number: bytes) -> None:
    def seconds(of: bytes) -> float:
        raw = b'{"a":[' + b",".join([of] * OFTEN) + b"]}"
        began = time.thread_time()
        READERS[reader](raw)
        return time.thread_time() - began

    assert min(seconds(number) for _ in range(3)) < TIMES * max(seconds(b"0.1") for _ in range(3))


digits = st.text("0123456789", min_size=1, max_size=30)
numbers = st.one_of(
    st.builds("{}{}.{}e{}".format, st.sampled_from(("", "-")), st.integers(0, 10**20), digits, st.integers(-340, 320)),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**40), 10**40).map(str),
)


@given(numbers)
@example("1e400")
@example("-1E400")
@example("1.7976931348623159e308")
@example("5e-324")
@example("1e-400")
@example("-0.0")
@example("1" * 400 + ".5")
@example("1" * 5000)
@example("NaN")
@example("Infinity")
@example("01.5")
@example("1.")
def test_a_number_is_what_msgspec_says_or_is_refused_alike(number: str) -> None:
    assert read(json.decode, number) == read(msgspec.json.decode, number)
    assert read(lambda raw: json.decode_as(raw, float), number) == read(
        lambda raw: msgspec.json.decode(raw, type=float), number
    )


def test_what_is_refused_says_where() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Number out of range - at `\$\[1\]`"):
        json.decode(b"[1,1e999]")
    with pytest.raises(msgspec.ValidationError, match=r"at `\$\.a\[0\]`"):
        json.decode_as(b'{"a":[[]]}', Scored)
    with pytest.raises(msgspec.DecodeError):
        json.decode_as(b'{"a":', Scored)
    with pytest.raises(UnicodeDecodeError):
        json.decode(b'"\xff"')


def read(reader: Callable[[bytes], Any], text: str) -> tuple[type, str | None]:
    """The kind of what a text is read as and its words, or why it is not."""
    try:
        found = reader(text.encode())
    except msgspec.DecodeError as error:
        return type(error), None
    assert not (isinstance(found, float) and math.isinf(found))
    return type(found), repr(found)


def _request(body: bytes) -> Request:
    return Request(
        method="PUT",
        path="/",
        raw_path=b"/",
        query=b"",
        headers={},
        body=body,
        id="",
        peer="",
        scheme="http",
        server=None,
    )
