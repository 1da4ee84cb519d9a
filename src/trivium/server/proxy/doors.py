"""Addresses: which notebook is meant, and what of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

from trivium.base.values import Value
from trivium.server.proxy.access import Door, Kind
from trivium.server.proxy.problems import Malformed, Moved, Problem

_ID = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?"
_ROOT = re.compile(rf"/(nb|svc)/({_ID})".encode())
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_TEMPLATE = re.compile(r"\{id\}(?:[a-z0-9-]*)(?:\.[a-z0-9-]+)+")
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]+)(/.*)?")
_ROOMS = {b"nb": Kind.JUPYTER, b"svc": Kind.SERVICE}
_DOORS = 1024  # doors, and names of hosts, that are kept
_SERVICE_LABEL = "-svc"


class Place(Value, frozen=True):
    """What an address points to."""

    door: Door
    path: bytes  # for the upstream, without the query
    query: bytes  # for the upstream, with `token` still in it
    prefix: bytes  # what was taken off the path: b"/svc/7", or nothing
    root: str  # the part of our paths that is this door's alone: where its cookies live


class Doors(Protocol):
    """How notebooks are told apart."""

    def find(self, host: bytes, target: bytes) -> Place:
        """The place. Raises `Problem` (404) where no notebook can be, and `Moved` where the address is nearly right."""
        ...


class PathDoors:
    """`/nb/<id>/` and `/svc/<id>/` on one origin for all."""

    def find(self, host: bytes, target: bytes) -> Place:
        """The place that the path names."""
        del host
        path, mark, query = target.partition(b"?")
        end = path.find(b"/", path.find(b"/", 1) + 1)
        prefix = path if end < 0 else path[:end]
        door = _door_at(prefix)
        if door is None:
            raise Problem(404, "proxy.unknown")
        if end < 0:
            raise Moved(path + b"/" + mark + query)
        root = prefix.decode("ascii") + "/"
        if door.kind is Kind.SERVICE:
            return Place(door=door, path=path[end:], query=query, prefix=prefix, root=root)
        return Place(door=door, path=path, query=query, prefix=b"", root=root)


class HostDoors:
    """An origin for each notebook: `<id>.nb.example`, and `<id>-svc.nb.example` for its service.

    Raises ValueError for a template that is not a host name with `{id}` at its beginning.
    """

    def __init__(self, template: str) -> None:
        if _TEMPLATE.fullmatch(template) is None:
            message = f"a proxy host looks like {{id}}.nb.example, not like {template!r}"
            raise ValueError(message)
        after = template.removeprefix("{id}")
        self._form = re.compile(rf"({_ID}){re.escape(after)}", re.IGNORECASE)

    def find(self, host: bytes, target: bytes) -> Place:
        """The place that the host names."""
        name = host_of(host)[0]
        named = self._form.fullmatch(name)
        if named is None:
            raise Problem(404, "proxy.unknown")
        notebook = named[1].removesuffix(_SERVICE_LABEL)
        path, mark, query = target.partition(b"?")
        if notebook != named[1]:
            door = Door(notebook=notebook, kind=Kind.SERVICE)
            return Place(door=door, path=path, query=query, prefix=b"", root="/")
        root = f"/nb/{notebook}/"
        if path in {b"/", root[:-1].encode()}:
            raise Moved(root.encode() + mark + query)
        if not path.startswith(root.encode()):
            raise Problem(404, "proxy.unknown")
        return Place(door=Door(notebook=notebook, kind=Kind.JUPYTER), path=path, query=query, prefix=b"", root=root)


def doors_of(template: str | None) -> Doors:
    """How notebooks are told apart when `TRIVIUM_PROXY__HOST` is `template`."""
    return PathDoors() if template is None else HostDoors(template)


def address_of(door: Door, *, template: str | None, origin: str) -> str:
    """The URL of a door, with a slash at its end.

    `origin` is how people reach the proxy, `https://trivium.example:8801`; in host mode only its scheme and port count.
    """
    if template is None:
        room = "svc" if door.kind is Kind.SERVICE else "nb"
        return f"{origin}/{room}/{door.notebook}/"
    scheme, _, authority = origin.partition("://")
    port = re.search(r":[0-9]+$", authority)
    label = door.notebook + (_SERVICE_LABEL if door.kind is Kind.SERVICE else "")
    path = "/" if door.kind is Kind.SERVICE else f"/nb/{door.notebook}/"
    return f"{scheme}://{template.replace('{id}', label)}{port[0] if port else ''}{path}"


@lru_cache(_DOORS)
def _door_at(prefix: bytes) -> Door | None:
    named = _ROOT.fullmatch(prefix)
    return None if named is None else Door(notebook=named[2].decode("ascii"), kind=_ROOMS[named[1]])


@lru_cache(_DOORS)
def host_of(value: bytes) -> tuple[str, int | None]:
    """The name, in lower case, and the port of a `Host` field. Raises `Malformed`."""
    found = _HOST.fullmatch(value)
    if found is None:
        raise Malformed(400)
    return found[1].decode("ascii").lower().removesuffix("."), int(found[2]) if found[2] else None


def target_of(target: bytes, host: bytes) -> bytes:
    """Path and query of a request's target, which may be a URL of `host`. Raises `Malformed` for what is not ours."""
    if target.startswith(b"/"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or absolute[1].lower() != host.lower():
        raise Malformed(400)
    return absolute[2] or b"/"
