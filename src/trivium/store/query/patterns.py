"""Patterns of LIKE over folded text, written so that SQLite and PostgreSQL read them alike."""

from __future__ import annotations

import re
from typing import Final

from trivium.base.text import fold

ESCAPE: Final = "\\"
_TOKEN: Final = re.compile(r"\\(?P<escaped>.)|(?P<wild>[%_])|(?P<plain>[^\\%_]+|\\)", re.DOTALL)
_SPECIAL: Final = re.compile(r"([\\%_])")

_LAST: Final = "\U0010ffff"
_HALVES: Final = 0xD800
"""Where the halves of characters begin among the code points, which no text has, and what comes after them."""

_AFTER_HALVES: Final = 0xE000


def like(pattern: str) -> str:
    """The folded pattern. A backslash makes any character after it plain; one at the end is plain itself.

    What is plain is folded before it is escaped: folding turns full-width ％ and ＿ into what would be wildcards.
    """
    parts: list[str] = []
    plain: list[str] = []
    for token in _TOKEN.finditer(pattern):
        if token["wild"] is None:
            plain.append(token["escaped"] or token["plain"])
            continue
        parts.append(literal("".join(plain)))
        plain.clear()
        parts.append(token["wild"])
    return "".join(parts) + literal("".join(plain))


def containing(term: str) -> str:
    """The pattern that finds the folded term anywhere."""
    return f"%{literal(term)}%"


def beginning(pattern: str) -> str:
    """What a text begins with that matches a pattern which was made here; empty where it may begin with anything."""
    plain: list[str] = []
    for token in _TOKEN.finditer(pattern):
        if token["wild"] is not None:
            break
        plain.append(token["escaped"] or token["plain"])
    return "".join(plain)


def behind(text: str) -> str | None:
    """The first text, by code points, behind all those that begin with this one; None where there is none."""
    kept = text.rstrip(_LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_AFTER_HALVES if following == _HALVES else following)


def runs(pattern: str) -> tuple[str, ...]:
    """The plain runs between the wildcards of a pattern that was made here: a text that matches holds each of them."""
    found: list[str] = []
    plain = ""
    for token in _TOKEN.finditer(pattern):
        if token["wild"] is None:
            plain += token["escaped"] or token["plain"]
            continue
        found.append(plain)
        plain = ""
    return tuple(run for run in (*found, plain) if run)


def is_substring(pattern: str) -> bool:
    """Whether the pattern that was made here asks for one plain run anywhere, and for nothing else."""
    return [token["wild"] for token in _TOKEN.finditer(pattern) if token["wild"]] == ["%", "%"] and (
        pattern.startswith("%") and pattern.endswith("%") and len(runs(pattern)) == 1
    )


def literal(plain: str) -> str:
    """The pattern of the folded text itself."""
    return _SPECIAL.sub(r"\\\1", fold(plain))
