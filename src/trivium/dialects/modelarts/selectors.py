"""Label selectors: Kubernetes' grammar, and what it means for labels.

`k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, `k`, `!k`, several with commas between, which must all hold. As in
Kubernetes, `!=` and `notin` also hold for what has no such label. See "Labels and Selectors" in Kubernetes' documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from trivium.base.values import Value
from trivium.dialects.modelarts.errors import BadSelector

FIELD: Final = "labelSelector"
LONGEST: Final = 4096
MOST: Final = 64
TOKEN: Final = re.compile(r"\s*(==|!=|[=!(),]|[^\s=!(),]+)")
KEY: Final = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class Operator(StrEnum):
    """How a label is held against values."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "!"


class Requirement(Value, frozen=True):
    """One thing that must hold of the labels."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether it does."""
        found = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return found is not None and found in self.values
            case Operator.NOT_IN:
                return found is None or found not in self.values
            case Operator.EXISTS:
                return found is not None
            case Operator.ABSENT:
                return found is None


def parse(text: str | None) -> tuple[Requirement, ...]:
    """What a selector asks; nothing when it is absent or empty. `BadSelector`."""
    if text is None or not text.strip():
        return ()
    if len(text) > LONGEST:
        raise BadSelector(FIELD)
    tokens = _Tokens(text)
    found = [_requirement(tokens)]
    while tokens.take(","):
        found.append(_requirement(tokens))
    if tokens.here is not None or len(found) > MOST:
        raise BadSelector(FIELD)
    return tuple(found)


def holds(requirements: Sequence[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy all of it."""
    return all(requirement.holds(labels) for requirement in requirements)


class _Tokens:
    """A selector's words and signs, one after the other."""

    def __init__(self, text: str) -> None:
        self._rest: Iterator[str] = iter(_split(text))
        self.here: str | None = next(self._rest, None)

    def take(self, wanted: str) -> bool:
        """Go past the token if it is that one."""
        if self.here != wanted:
            return False
        self.here = next(self._rest, None)
        return True

    def word(self, pattern: re.Pattern[str]) -> str:
        """Go past a word, and return it. `BadSelector`."""
        found = self.here
        if found is None or not pattern.fullmatch(found):
            raise BadSelector(FIELD)
        self.here = next(self._rest, None)
        return found


def _split(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadSelector(FIELD)
        yield match[1]
        at = match.end()


def _requirement(tokens: _Tokens) -> Requirement:
    if tokens.take("!"):
        return Requirement(key=tokens.word(KEY), operator=Operator.ABSENT)
    key = tokens.word(KEY)
    if tokens.take("=") or tokens.take("=="):
        return Requirement(key=key, operator=Operator.IN, values=(_value(tokens),))
    if tokens.take("!="):
        return Requirement(key=key, operator=Operator.NOT_IN, values=(_value(tokens),))
    if tokens.take("in"):
        return Requirement(key=key, operator=Operator.IN, values=_values(tokens))
    if tokens.take("notin"):
        return Requirement(key=key, operator=Operator.NOT_IN, values=_values(tokens))
    return Requirement(key=key, operator=Operator.EXISTS)


def _value(tokens: _Tokens) -> str:
    """A value, which may be empty."""
    return "" if tokens.here in (None, ",", ")") else tokens.word(VALUE)


def _values(tokens: _Tokens) -> tuple[str, ...]:
    if not tokens.take("("):
        raise BadSelector(FIELD)
    found = [_value(tokens)]
    while tokens.take(","):
        found.append(_value(tokens))
    if not tokens.take(")"):
        raise BadSelector(FIELD)
    return tuple(dict.fromkeys(found))
