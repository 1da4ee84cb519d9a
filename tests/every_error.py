"""Every class of error that a request to a dialect may come to."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import trivium
from trivium.base.errors import Invalid, TriviumError

DIALECT = re.compile(r"trivium\.dialects\.(\w+)\.")


def every_error(dialect: str) -> list[type[TriviumError]]:
    """Those of the rooms that its requests may pass through, and its own; not those of other dialects."""
    for module in pkgutil.walk_packages(trivium.__path__, "trivium."):
        if re.match(r"trivium\.(base|store|resources|dialects)\b", module.name) and "versions" not in module.name:
            importlib.import_module(module.name)
    found = (error for error in set(_below(TriviumError)) if _of(error) in (None, dialect))
    return sorted(found, key=lambda error: (error.__module__, error.__name__))


def made(error: type[TriviumError]) -> TriviumError:
    """One of the class, with no more than its kind demands."""
    one = error.__new__(error)
    Invalid.__init__(one, "field") if isinstance(one, Invalid) else TriviumError.__init__(one)
    return one


def _of(error: type[TriviumError]) -> str | None:
    """The dialect whose own it is."""
    found = DIALECT.match(error.__module__)
    return found[1] if found else None


def _below(error: type[TriviumError]) -> Iterator[type[TriviumError]]:
    for below in error.__subclasses__():
        yield below
        yield from _below(below)
