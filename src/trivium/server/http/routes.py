"""All dialects' operations as one look-up table: a dictionary for plain paths, a tree of segments for the others.

A trailing slash makes no difference, HEAD is answered by GET, a literal segment goes before a {name}, and an encoded
slash stays within its segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from trivium.base.values import Value
from trivium.dialects.operation import Dialect, Operation
from trivium.store.bounded_cache import BoundedCache

RECENT: Final = 1024
"""Paths with {names} that are remembered with what they led to: clients ask for the same few again and again …"""

REMEMBERED: Final = 256
"""… of so many characters at most."""


class RoutesConflict(Exception):
    """Two dialects want the same path, or an operation stands where it cannot be served. Ends the start."""


class Found(Value, frozen=True):
    """The operation of a request, and what stood in its path for the {names}."""

    dialect: Dialect
    operation: Operation
    parameters: Mapping[str, str]


class Missed(Value, frozen=True):
    """No operation: whose path it is, if anyone's, and the methods that it has (none: nothing stands there)."""

    dialect: Dialect | None
    allowed: tuple[str, ...] = ()
    parameters: Mapping[str, str] = {}


class _Route(Value, frozen=True):
    dialect: Dialect
    operation: Operation
    segments: tuple[str | None, ...]  # None where a {name} stands
    names: tuple[str, ...]

    def found(self, values: Sequence[str] = ()) -> Found:
        parameters = dict(zip(self.names, values, strict=True))
        return Found(dialect=self.dialect, operation=self.operation, parameters=parameters)

    def __str__(self) -> str:
        return f"{self.dialect.name} {self.operation.name} ({self.operation.method} {self.operation.path})"


class _Node:
    """What may follow the segments that led here."""

    __slots__ = ("children", "parameter", "routes")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: dict[str, _Route] = {}


class Routes:
    """The table. Raises `RoutesConflict` when the dialects' operations do not fit together.

    `reserved` are paths that the platform answers itself.
    """

    def __init__(self, dialects: Iterable[Dialect], reserved: Iterable[str] = ()) -> None:
        self._root = _Node()
        self._plain: dict[str, dict[str, Found]] = {}
        self._recent = BoundedCache[Found](RECENT)
        self.dialects = tuple(dialects)
        self._prefixes = _prefixes(self.dialects)
        routes = [_compiled(dialect, operation) for dialect in self.dialects for operation in dialect.operations]
        _check(routes, frozenset(reserved))
        for route in routes:
            self._add(route)

    def find(self, method: str, path: str, raw_path: bytes) -> Found | Missed:
        """The operation for a request. `path` is decoded, `raw_path` is what the client sent."""
        encoded = b"%" in raw_path
        if not encoded:
            plain = self._plain.get(path)
            if plain is not None:
                found = plain.get(method)
                if found is not None:
                    return found
            recent = self._recent.get((method, path))
            if recent is not None:
                return recent
        found = self._search(method, _decoded(raw_path) if encoded else path.split("/")[1:])
        if isinstance(found, Found) and not encoded and len(path) <= REMEMBERED:
            self._recent.put((method, path), found)
        return found

    def _search(self, method: str, segments: list[str | None] | list[str]) -> Found | Missed:
        if segments and segments[-1] == "":
            segments = segments[:-1]
        allowed: set[str] = set()
        for node, values in _leaves(self._root, segments):
            route = node.routes.get(method)
            if route is not None:
                return route.found(values)
            allowed.update(node.routes)
        return Missed(dialect=self._owner(segments), allowed=tuple(sorted(allowed)))

    def _owner(self, segments: Sequence[str | None]) -> Dialect | None:
        """The dialect with the longest prefix of a path."""
        for prefix, dialect in self._prefixes:
            if tuple(segments[: len(prefix)]) == prefix:
                return dialect
        return None

    def _add(self, route: _Route) -> None:
        node = self._root
        for segment in route.segments:
            if segment is None:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(segment, _Node())
        methods = [route.operation.method]
        if route.operation.method == "GET":
            methods.append("HEAD")
        for method in methods:
            node.routes.setdefault(method, route)
            if not route.names:
                path = "/" + "/".join(segment for segment in route.segments if segment)
                for spelling in (path, path + "/"):
                    self._plain.setdefault(spelling, {}).setdefault(method, route.found())


def _leaves(
    node: _Node, segments: Sequence[str | None], *, at: int = 0, values: tuple[str, ...] = ()
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """The nodes with routes that the segments lead to, the most literal first, and the values of their {names}."""
    if at == len(segments):
        if node.routes:
            yield node, values
        return
    segment = segments[at]
    if not segment:  # empty, or no text at all: neither a literal nor a value
        return
    child = node.children.get(segment)
    if child is not None:
        yield from _leaves(child, segments, at=at + 1, values=values)
    if node.parameter is not None:
        yield from _leaves(node.parameter, segments, at=at + 1, values=(*values, segment))


def _decoded(raw_path: bytes) -> list[str | None]:
    """The path's segments; None for one that no row could be named by: not UTF-8, or with a NUL in it."""
    return [_text(segment) for segment in raw_path.split(b"/")[1:]]


def _text(segment: bytes) -> str | None:
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _prefixes(dialects: Sequence[Dialect]) -> list[tuple[tuple[str, ...], Dialect]]:
    """Every dialect's prefixes as segments, the longest first."""
    owners: dict[tuple[str, ...], Dialect] = {}
    for dialect in dialects:
        for prefix in dialect.prefixes:
            segments = tuple(prefix.strip("/").split("/")) if prefix.strip("/") else ()
            other = owners.setdefault(segments, dialect)
            if other is not dialect:
                raise RoutesConflict(f"{other.name} and {dialect.name} both want the prefix {prefix}")
    return sorted(owners.items(), key=lambda entry: -len(entry[0]))


def _compiled(dialect: Dialect, operation: Operation) -> _Route:
    path = operation.path
    segments: list[str | None] = []
    names: list[str] = []
    for segment in path.strip("/").split("/"):
        is_name = segment.startswith("{") and segment.endswith("}")
        if not path.startswith("/") or not segment.strip("{}") or ("{" in segment[1:] or "}" in segment[:-1]):
            raise RoutesConflict(f"{dialect.name} {operation.name}: {path} is no path of literals and {{names}}")
        segments.append(None if is_name else segment)
        if is_name:
            names.append(segment[1:-1])
    if len(set(names)) != len(names):
        raise RoutesConflict(f"{dialect.name} {operation.name}: {path} has a name twice")
    return _Route(dialect=dialect, operation=operation, segments=tuple(segments), names=tuple(names))


def _check(routes: Sequence[_Route], reserved: frozenset[str]) -> None:
    """Raise `RoutesConflict` unless every operation is under its dialect's prefixes and answers alone."""
    for route in routes:
        path = route.operation.path.rstrip("/")
        if path in reserved:
            raise RoutesConflict(f"{route} stands on a path of the platform's own")
        if not any(_begins(path, prefix) for prefix in route.dialect.prefixes):
            raise RoutesConflict(
                f"{route} is under none of its dialect's prefixes: {', '.join(route.dialect.prefixes)}"
            )
    alike: dict[tuple[str, int], list[_Route]] = {}
    for route in routes:
        others = alike.setdefault((route.operation.method, len(route.segments)), [])
        for other in others:
            if _collide(other, route):
                raise RoutesConflict(f"{other} and {route} answer the same path")
        others.append(route)


def _begins(path: str, prefix: str) -> bool:
    return path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")


def _collide(one: _Route, other: _Route) -> bool:
    """Whether one path could be meant for two routes of equal length.

    Within a dialect a literal beside a {name} is its own choice, and goes first.
    """
    if one.dialect is other.dialect:
        return one.segments == other.segments
    pairs = zip(one.segments, other.segments, strict=True)
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)
