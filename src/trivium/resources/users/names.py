"""What a user may be called.

A name has 1 to 64 characters: letters and digits of any script, `_`, `-`, `.` and `@`, and begins with a letter or a
digit. It is kept as it was given, and compared without regard to case and width: `Alice` and `alice` are one name.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from trivium.base.text import fold
from trivium.resources.users.errors import BadUserName

PATTERN: Final = re.compile(r"[^\W_][\w.@-]{0,63}")


def check(name: str) -> str:
    """The name in its composed form; `BadUserName` when it breaks the rules."""
    composed = unicodedata.normalize("NFC", name)
    if PATTERN.fullmatch(composed) is None:
        message = "a user's name has 1 to 64 characters: letters, digits, _ - . @, and begins with a letter or digit"
        raise BadUserName("name", message, name=name)
    return composed


def key(name: str) -> str:
    """What names are compared by."""
    return fold(name)
