"""Values that somebody may send where something else is meant."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.fuzz.dice import Dice, chance, one_of

TEXTS: Final = (
    "",
    "a",
    "名字",
    " ",
    "\n",
    "0",
    "-1",
    "1e309",
    "NaN",
    "true",
    "null",
    "9223372036854775808",
    "٣",
    "é" * 300,
    "\u202eabc",
    "\x00",
    "\x7f\x1b[31m",
    "\ud800",
    "😀",
    "%",
    "_",
    "100%",
    "' OR '1'='1",
    '"; DROP TABLE notebooks; --',
    "../../etc/passwd",
    "/",
    "//",
    "$(id)",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "a" * 4096,
)
NUMBERS: Final = (0, 1, -1, 2, 50, 51, 65535, 65536, 1 << 31, 1 << 53, (1 << 63) - 1, 1 << 63, 1 << 64, -(1 << 63) - 1)
RAW_NUMBERS: Final = ("0.5", "1e2", "-0", "1E400", "1" * 400, "0.1e-400", "00", "+1", ".5", "NaN", "Infinity")
DEEP: Final = 600


class Verbatim(str):
    """JSON that is written as it stands, right or wrong."""

    __slots__ = ()


def anything(dice: Dice, depth: int = 2) -> Any:
    """Any value, wrong ones first of all."""
    kind = dice.whole(0, 8 if depth else 5)
    match kind:
        case 0 | 1:
            return one_of(dice, TEXTS)
        case 2:
            return one_of(dice, NUMBERS)
        case 3:
            return one_of(dice, (None, True, False))
        case 4:
            return Verbatim(one_of(dice, RAW_NUMBERS))
        case 5:
            return dice.raw(12).decode("latin-1")
        case 6:
            return [anything(dice, depth - 1) for _ in range(dice.whole(0, 3))]
        case 7:
            return {str(one_of(dice, TEXTS)): anything(dice, depth - 1) for _ in range(dice.whole(0, 3))}
        case _:
            bracket = one_of(dice, (("[", "]"), ('{"a":', "}")))
            return Verbatim(bracket[0] * DEEP + "1" + bracket[1] * DEEP)


def written(value: Any) -> str:
    """JSON, but for what is written verbatim."""
    if isinstance(value, Verbatim):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(name)}:{written(part)}" for name, part in value) + "}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


class Pairs(list[tuple[str, Any]]):
    """An object whose names may come more than once."""

    __slots__ = ()


def damaged(dice: Dice, raw: bytes) -> bytes:
    """The bytes with something cut, doubled, changed or put in."""
    for _ in range(dice.whole(1, 3)):
        start = dice.whole(0, len(raw))
        end = min(len(raw), start + dice.whole(0, 40))
        piece = raw[start:end]
        match dice.whole(0, 5):
            case 0:
                raw = raw[:start] + raw[end:]
            case 1:
                raw = raw[:start] + piece * dice.whole(2, 4) + raw[end:]
            case 2:
                raw = raw[:start] + dice.raw(8) + raw[start:]
            case 3:
                raw = (
                    raw[:start]
                    + one_of(dice, (b"\r\n", b"\n", b"\x00", b" ", b":", b"\r\n\r\n", b"\xff"))
                    + raw[start:]
                )
            case 4:
                raw = raw[:start]
            case _:
                raw = bytes(byte ^ (1 << dice.whole(0, 7)) for byte in piece[:1]).join((raw[:start], raw[start + 1 :]))
    return raw


def mixed(dice: Dice, likely: Any, right: int = 70) -> Any:
    """What is likely to be right, `right` percent of the time, or anything."""
    return likely if chance(dice, right) else anything(dice)
