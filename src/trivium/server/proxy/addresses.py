"""Addresses: which endpoint of which notebook a request is for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

from trivium.base.values import Value
from trivium.server.proxy.access import Endpoint, Kind
from trivium.server.proxy.problems import Malformed, Moved, Problem

_ID = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?"
_ROOT = re.compile(rf"/(nb|svc)/({_ID})".encode())
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_TEMPLATE = re.compile(r"\{id\}(?:[a-z0-9-]*)(?:\.[a-z0-9-]+)+")
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]+)(/.*)?")
_ROOMS = {b"nb": Kind.JUPYTER, b"svc": Kind.SERVICE}
_REMEMBERED = 1024  # endpoints, and names of hosts, that are kept
_SERVICE_LABEL = "-svc"


class Place(Value, frozen=True):
    """What an address points to."""

    endpoint: Endpoint
    path: bytes  # for the upstream, without the query
    query: bytes  # for the upstream, with `token` still in it
    prefix: bytes  # what was taken off the path: b"/svc/7", or nothing
    root: str  # what all of the endpoint's paths begin with, and no other's do: where its cookies live


class AddressScheme(Protocol):
    """How endpoints are told apart."""

    def find(self, host: bytes, target: bytes) -> Place:
        """The place. Raises `Problem` (404) where no notebook can be, and `Moved` where the address is nearly right."""
        ...


class PathAddresses:
    """`/nb/<id>/` and `/svc/<id>/` on one origin for all."""

    def find(self, host: bytes, target: bytes) -> Place:
        """The place that the path names."""
        del host
        path, mark, query = target.partition(b"?")
        end = path.find(b"/", path.find(b"/", 1) + 1)
        prefix = path if end < 0 else path[:end]
        endpoint = _endpoint_at(prefix)
        if end < 0:
            raise Moved(path + b"/" + mark + query)
        root = prefix.decode("ascii") + "/"
        if endpoint.kind is Kind.SERVICE:
            return Place(endpoint=endpoint, path=path[end:], query=query, prefix=prefix, root=root)
        return Place(endpoint=endpoint, path=path, query=query, prefix=b"", root=root)


class HostAddresses:
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
            endpoint = Endpoint(notebook=notebook, kind=Kind.SERVICE)
            return Place(endpoint=endpoint, path=path, query=query, prefix=b"", root="/")
        root = f"/nb/{notebook}/"
        if path in {b"/", root[:-1].encode()}:
            raise Moved(root.encode() + mark + query)
        if not path.startswith(root.encode()):
            raise Problem(404, "proxy.unknown")
        endpoint = Endpoint(notebook=notebook, kind=Kind.JUPYTER)
        return Place(endpoint=endpoint, path=path, query=query, prefix=b"", root=root)


def scheme_of(template: str | None) -> AddressScheme:
    """How endpoints are told apart when `TRIVIUM_PROXY__HOST` is `template`."""
    return PathAddresses() if template is None else HostAddresses(template)


def address_of(endpoint: Endpoint, *, template: str | None, origin: str) -> str:
    """The URL of an endpoint, with a slash at its end.

    `origin` is how people reach the proxy, `https://trivium.example:8801`; in host mode only its scheme and port count.
    """
    if template is None:
        room = "svc" if endpoint.kind is Kind.SERVICE else "nb"
        return f"{origin}/{room}/{endpoint.notebook}/"
    scheme, _, authority = origin.partition("://")
    port = re.search(r":[0-9]+$", authority)
    label = endpoint.notebook + (_SERVICE_LABEL if endpoint.kind is Kind.SERVICE else "")
    path = "/" if endpoint.kind is Kind.SERVICE else f"/nb/{endpoint.notebook}/"
    return f"{scheme}://{template.replace('{id}', label)}{port[0] if port else ''}{path}"


@lru_cache(_REMEMBERED)
def _endpoint_at(prefix: bytes) -> Endpoint:
    """The endpoint whose paths begin so. Raises `Problem`, so that nothing is kept of what strangers make up."""
    named = _ROOT.fullmatch(prefix)
    if named is None:
        raise Problem(404, "proxy.unknown")
    return Endpoint(notebook=named[2].decode("ascii"), kind=_ROOMS[named[1]])


@lru_cache(_REMEMBERED)
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
