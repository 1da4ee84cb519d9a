"""What of a vendor's API is served and what is not, and why: the one account of it, kept in a `coverage.toml`."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from trivium.base.values import Value
from trivium.dialects.operation import Mark

BRACED: Final = re.compile(r"\\\{[a-zA-Z_]+\\\}")


class State(StrEnum):
    """What became of an operation of the vendor's."""

    DONE = "done"
    REFUSED = "refused"
    NOT_YET = "not yet"


class Served(Value, frozen=True, kw_only=True):
    """An interface that is served."""

    name: str
    method: str
    path: str
    spec: str  # where it stands in our notes on the vendor
    mark: Mark
    note: str = ""  # what is decided where the documents leave it open


class Reason(Value, frozen=True):
    """Why something is not served."""

    en: str
    zh: str


class Refused(Value, frozen=True, kw_only=True):
    """Interfaces that are not served."""

    spec: str
    methods: tuple[str, ...] = ()  # empty: all
    paths: tuple[str, ...]  # with {names} for the parts that differ, and * at the end for all that is below
    reason: Reason


class Told(Value, frozen=True):
    """An operation of the vendor's, and what became of it here."""

    name: str
    method: str
    path: str
    state: State
    said: str = ""  # why it is refused, or what is decided about it


class Coverage(Value, frozen=True):
    """All that is known of a vendor's interfaces."""

    served: tuple[Served, ...]
    refused: tuple[Refused, ...]
    known: tuple[str, ...] = ()  # every operation of the vendor's client, as `Name METHOD /path`

    def refusal(self, method: str, path: str) -> Reason | None:
        """Why the interface at the path is not served; None when nothing is told of it."""
        for refused in self.refused:
            if refused.methods and method not in refused.methods:
                continue
            if any(_pattern(template).fullmatch(path) for template in refused.paths):
                return refused.reason
        return None

    def told(self) -> tuple[Told, ...]:
        """What became of each operation: those that are served, those of the client that are not, what is refused."""
        done = [_done(one) for one in self.served]
        there = {one.name for one in self.served}
        named = [tuple(line.split(" ", 2)) for line in self.known]
        others = [self._other(name, method, path) for name, method, path in named if name not in there]
        if not self.known:
            others = [_refused(one, path) for one in self.refused for path in one.paths]
        return (*done, *others)

    def _other(self, name: str, method: str, path: str) -> Told:
        reason = self.refusal(method, path)
        if reason is None:
            return Told(name=name, method=method, path=path, state=State.NOT_YET)
        return Told(name=name, method=method, path=path, state=State.REFUSED, said=reason.en)


@cache
def load(dialect: str) -> Coverage:
    """The account of a dialect, read from its file when it is first asked for: a start is quicker without."""
    raw = resources.files(f"trivium.dialects.{dialect}").joinpath("coverage.toml").read_bytes()
    return msgspec.toml.decode(raw, type=Coverage)


def _done(one: Served) -> Told:
    return Told(name=one.name, method=one.method, path=one.path, state=State.DONE, said=one.note)


def _refused(one: Refused, path: str) -> Told:
    methods = ",".join(one.methods) or "any"
    return Told(name="-", method=methods, path=path, state=State.REFUSED, said=one.reason.en)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    exact = BRACED.sub("[^/]+", re.escape(template))
    return re.compile(exact.replace(r"\*", ".*"))
