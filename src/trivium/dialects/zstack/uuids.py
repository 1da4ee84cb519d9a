"""Identifiers as ZStack writes them: 32 hexadecimal digits, which compare with any text."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

DIGITS: Final = "0123456789abcdef"
LENGTH: Final = 32
_ONE: Final = re.compile(r"[0-9a-fA-F]{32}")


def is_one(text: str) -> bool:
    """Whether the text is an identifier, in whatever case."""
    return _ONE.fullmatch(text) is not None


def not_before(text: str) -> UUID | None:
    """The first identifier that does not come before the text, by code points without regard to case; None if none."""
    wanted = text.lower()
    for place, character in enumerate(wanted[:LENGTH]):
        if character in DIGITS:
            continue
        larger = next((digit for digit in DIGITS if digit > character), None)
        if larger is not None:
            return _filled(wanted[:place] + larger)
        return _behind(wanted[:place])
    return _behind(wanted[:LENGTH]) if len(wanted) > LENGTH else _filled(wanted)


def _behind(digits: str) -> UUID | None:
    """The first identifier behind all that begin with the digits."""
    following = int(digits or "0", 16) + 1 if digits else None
    if following is None or following == 16 ** len(digits):
        return None
    return _filled(f"{following:0{len(digits)}x}")


def _filled(digits: str) -> UUID:
    return UUID(hex=digits.ljust(LENGTH, "0"))
