"""What of SCNet is served and what is not, and why: the one account of it, kept in `coverage.toml`."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from trivium.base.values import Value
from trivium.dialects.operation import Mark
from trivium.dialects.scnet.errors import NotServed

BRACED: Final = re.compile(r"\\\{[a-zA-Z]+\\\}")


class Served(Value, frozen=True, kw_only=True):
    """An interface that is served."""

    name: str
    method: str
    path: str
    spec: str  # where it stands in our notes on SCNet
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


class Coverage(Value, frozen=True):
    """All that is known of SCNet's interfaces."""

    served: tuple[Served, ...]
    refused: tuple[Refused, ...]

    def refusal(self, method: str, path: str) -> NotServed | None:
        """Why the interface at the path is not served; None when nothing of SCNet stands there."""
        for refused in self.refused:
            if refused.methods and method not in refused.methods:
                continue
            if any(_pattern(template).fullmatch(path) for template in refused.paths):
                return NotServed(path=path, reason=refused.reason.zh)
        return None


@cache
def load() -> Coverage:
    """The account, read from its file when it is first asked for: a start is quicker without."""
    raw = resources.files("trivium.dialects.scnet").joinpath("coverage.toml").read_bytes()
    return msgspec.toml.decode(raw, type=Coverage)


def _pattern(template: str) -> re.Pattern[str]:
    exact = BRACED.sub("[^/]+", re.escape(template))
    return re.compile(exact.replace(r"\*", ".*"))
