"""Reading JSON that strangers wrote, or that was kept of theirs, at a cost that follows from its length alone.

msgspec's own reading of a number near either end of what a float can be (1e300, 4e-320) takes some 25 µs, a hundred
times as long as `float` of the same text: ten megabytes of such numbers would hold the whole process up for half a
minute. What is read is the same, and so is what is refused.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")


def number(text: str) -> float:
    """The number that a text of JSON is: the `float_hook` of decoders. Raises ValueError where it is out of range."""
    value = float(text)
    if value - value != 0:
        raise ValueError("Number out of range")  # msgspec adds where, and makes a `ValidationError` of it
    return value


_DECODER: Final = msgspec.json.Decoder(float_hook=number)


def decode(raw: bytes | str) -> Any:  # noqa: ANN401 - what JSON holds is found when it is used
    """What the JSON says. Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    return _DECODER.decode(raw)


def decode_as(raw: bytes | str, type: type[T]) -> T:
    """The same as a type. A decoder of the type itself would not ask for our reading of what its fields say are floats.

    Raises `msgspec.ValidationError` where it is not of the type.
    """
    return msgspec.convert(_DECODER.decode(raw), type)
