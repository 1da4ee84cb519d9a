"""Patterns of LIKE over folded text, written so that SQLite and PostgreSQL read them alike."""

from __future__ import annotations

import re
from typing import Final

from trivium.base.text import fold

ESCAPE: Final = "\\"
_TOKEN: Final = re.compile(r"\\(?P<escaped>.)|(?P<wild>[%_])|(?P<plain>[^\\%_]+|\\)", re.DOTALL)
_SPECIAL: Final = re.compile(r"([\\%_])")


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
        parts.append(_literal("".join(plain)))
        plain.clear()
        parts.append(token["wild"])
    return "".join(parts) + _literal("".join(plain))


def containing(term: str) -> str:
    """The pattern that finds the folded term anywhere."""
    return f"%{_literal(term)}%"


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


def _literal(plain: str) -> str:
    return _SPECIAL.sub(r"\\\1", fold(plain))
