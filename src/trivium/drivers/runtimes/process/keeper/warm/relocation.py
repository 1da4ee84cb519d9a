"""Values that modules computed from a path or a user's name when they were imported, and putting others in their place.

A fork server imports in a layer, a home and a user's name of its own. What was computed from those is found once,
before any fork, and set anew in each fork.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

from trivium.drivers.runtimes.process.keeper.warm.modules import OURS

DEPTH = 5  # how deep in a module's values is looked


class Relocation(NamedTuple):
    """A value with one of the words in it, and how another is put in its place."""

    put: Callable[[object], None]
    value: object


def find_relocations(*words: str) -> tuple[Relocation, ...]:
    """Every value of a module, or of what it holds, that is a text with one of these words or a list of such."""
    search = _Search(words)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "__main__").partition(".")[0] not in OURS | {"__main__"}:
            search.look(vars(module), 0)
    return tuple(search.found)


def relocate(relocations: Iterable[Relocation], words: Mapping[str, str]) -> None:
    """Replace each word by its value wherever it was found."""
    for one in relocations:
        one.put(_replaced(one.value, words))
    for path in [one for one in sys.path_importer_cache if any(old in one for old in words)]:
        sys.path_importer_cache.pop(path)


class _Search:
    def __init__(self, words: tuple[str, ...]) -> None:
        self.found: list[Relocation] = []
        self._words = words
        self._seen = {id(one) for one in (sys.modules, sys.path_importer_cache, os.environ, sys.argv)}

    def look(self, values: dict[Any, Any], depth: int) -> None:
        """Look through the values of a namespace or a dictionary."""
        for name, value in list(values.items()):
            if self._has_word(value):
                self.found.append(Relocation(_putter(values, name), value))
                continue
            below = _below(value)
            if below is None or depth >= DEPTH or id(value) in self._seen:
                continue
            self._seen.add(id(value))
            if isinstance(value, type):
                self._look_into_class(value, depth)
            else:
                self.look(below, depth + 1)

    def _look_into_class(self, kind: type, depth: int) -> None:
        for name, value in list(vars(kind).items()):
            if self._has_word(value):
                self.found.append(Relocation(_setter(kind, name), value))
            elif (below := _below(value)) is not None and id(value) not in self._seen and not isinstance(value, type):
                self._seen.add(id(value))
                self.look(below, depth + 1)

    def _has_word(self, value: object) -> bool:
        if isinstance(value, str):
            return any(word in value for word in self._words)
        if type(value) in {list, tuple}:
            items = cast("list[Any]", value)
            return any(isinstance(one, str) and any(word in one for word in self._words) for one in items)
        return False


def _replaced(value: object, words: Mapping[str, str]) -> object:
    if isinstance(value, str):
        for old, new in words.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, (list, tuple)):
        replaced = [_replaced(one, words) for one in cast("Iterable[object]", value)]
        return replaced if isinstance(value, list) else tuple(replaced)
    return value


def _below(value: object) -> dict[Any, Any] | None:
    """The values inside a value, where it may hold any."""
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value)
    if isinstance(value, type):
        return {}
    if type(value).__module__ == "builtins" or callable(value):
        return None
    with suppress(Exception):  # no `__dict__`, or a proxy that fails
        return vars(value)
    return None


def _putter(values: dict[Any, Any], name: object) -> Callable[[object], None]:
    if isinstance(values[name], list):  # others may hold the same list
        return lambda new: values[name].__setitem__(slice(None), new)

    def put(new: object) -> None:
        values[name] = new

    return put


def _setter(kind: type, name: str) -> Callable[[object], None]:
    return lambda new: setattr(kind, name, new)
