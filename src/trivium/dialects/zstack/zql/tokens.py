"""The tokens of ZQL: names, numbers, texts in quotes, and symbols."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from trivium.base.values import Value
from trivium.dialects.zstack.errors import BadStatement, TooMuch

LONGEST: Final = 65_536
SHOWN: Final = 40
"""Characters of a statement that an error shows."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<number>-[0-9]+(?:\.[0-9]+)?|[0-9]+\.[0-9]+)|(?P<name>[A-Za-z0-9_]+)"
    r"|(?P<symbol>!=|>=|<=|[=><(),.;{}]))"
)


class Sort(Enum):
    """What a token is."""

    NAME = "name"  # whole numbers are among them: names may begin with digits
    NUMBER = "number"
    TEXT = "text"
    SYMBOL = "symbol"
    END = "end"


class Token(Value, frozen=True):
    """A token: of text what is within the quotes, where a doubled quote stands for one."""

    sort: Sort
    text: str
    place: int


class Tokens:
    """The tokens of a statement, looked at one by one. Keywords are recognised in any case."""

    def __init__(self, statement: str) -> None:
        if len(statement) > LONGEST:
            raise TooMuch("zql", most=LONGEST, what="characters")
        self._statement = statement
        self._tokens = _tokens(statement)
        self._at = 0

    @property
    def here(self) -> Token:
        """The token that is next."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """The next token, which is passed."""
        token = self.here
        if token.sort is not Sort.END:
            self._at += 1
        return token

    def take(self, *words: str) -> bool:
        """Whether these keywords or symbols come next; then they are passed."""
        ahead = self._tokens[self._at : self._at + len(words)]
        is_there = len(ahead) == len(words) and all(map(_is_word, ahead, words))
        if is_there:
            self._at += len(words)
        return is_there

    def expect(self, *words: str) -> None:
        """Pass these keywords or symbols. Raises `BadStatement` where they do not come next."""
        if not self.take(*words):
            raise self.unexpected(" ".join(words))

    def name(self) -> str:
        """The next token, a name. Raises `BadStatement`."""
        if self.here.sort is not Sort.NAME:
            raise self.unexpected("a name")
        return self.next().text

    def unexpected(self, wanted: str) -> BadStatement:
        """The error that something else was expected here."""
        place = self.here.place
        return BadStatement("zql", wanted=wanted, place=place + 1, near=self._statement[place : place + SHOWN])


def _is_word(token: Token, word: str) -> bool:
    return token.sort in (Sort.NAME, Sort.SYMBOL) and token.text.lower() == word


def _tokens(statement: str) -> list[Token]:
    found: list[Token] = []
    end = len(statement.rstrip())
    place = 0
    while place < end:
        match = _TOKEN.match(statement, place)
        if match is None or match.lastgroup is None:
            near = statement[place : place + SHOWN].strip()
            raise BadStatement("zql", wanted="a name, a value or a symbol", place=place + 1, near=near)
        text = match[match.lastgroup]
        sort = Sort(match.lastgroup)
        found.append(Token(sort=sort, text=_inner(text) if sort is Sort.TEXT else text, place=match.start(sort.value)))
        place = match.end()
    return [*found, Token(sort=Sort.END, text="", place=end)]


def _inner(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)
