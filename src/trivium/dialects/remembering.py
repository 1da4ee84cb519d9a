"""Remembering what was made of short texts: clients ask for the same again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", str, bytes)

MOST: Final = 1024
"""Texts that a function remembers …"""

LONGEST: Final = 512
"""… of so many characters or bytes at most: whoever asks chooses them, so they must not fill the memory."""


def remembered(function: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """The function, which is not called again for what it was called with before.

    What it gives must follow from its arguments alone, and not be changed; what it raises is raised each time anew.
    """
    kept: Any = lru_cache(MOST)(function)

    @wraps(function)
    def call(text: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return (kept if len(text) <= LONGEST else function)(text, *args, **kwargs)

    return call
