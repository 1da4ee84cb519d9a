"""Addresses lead to the notebook they name, and to no other."""

from __future__ import annotations

import pytest

from trivium.server.proxy.access import Endpoint, Kind
from trivium.server.proxy.addresses import (
    HostAddresses,
    PathAddresses,
    Place,
    address_of,
    host_of,
    scheme_of,
    target_of,
)
from trivium.server.proxy.problems import Malformed, Moved, Problem

UUID = "3f1c1f52-8a3b-4d57-9c9c-0d5f1f1f1f1f"


def test_a_path_leads_to_jupyter_and_stays_as_it_is() -> None:
    place = PathAddresses().find(b"x", b"/nb/7/lab/tree/a%2Fb?c=d?e")
    assert place == Place(
        endpoint=Endpoint(notebook="7", kind=Kind.JUPYTER),
        path=b"/nb/7/lab/tree/a%2Fb",
        query=b"c=d?e",
        prefix=b"",
        root="/nb/7/",
    )


def test_a_path_leads_to_a_service_which_does_not_see_the_prefix() -> None:
    place = PathAddresses().find(b"x", f"/svc/{UUID}/a?b".encode())
    assert place == Place(
        endpoint=Endpoint(notebook=UUID, kind=Kind.SERVICE),
        path=b"/a",
        query=b"b",
        prefix=f"/svc/{UUID}".encode(),
        root=f"/svc/{UUID}/",
    )


@pytest.mark.parametrize(
    ("target", "location"), [(b"/nb/7", b"/nb/7/"), (b"/svc/7?token=x", b"/svc/7/?token=x"), (b"/nb/7?", b"/nb/7/?")]
)
def test_a_missing_slash_is_set(target: bytes, location: bytes) -> None:
    with pytest.raises(Moved) as raised:
        PathAddresses().find(b"x", target)
    assert raised.value.location == location


@pytest.mark.parametrize(
    "target",
    [b"/", b"/nb/", b"/nb//", b"/nb/../x/", b"/nb/a.b/", b"/nb/a%20/", b"/NB/7/", b"/x/7/", b"//nb/7/", b"/nb/-/"],
)
def test_other_paths_lead_nowhere(target: bytes) -> None:
    with pytest.raises(Problem) as raised:
        PathAddresses().find(b"x", target)
    assert raised.value.status == 404


def test_a_host_leads_to_jupyter_and_to_a_service() -> None:
    addresses = HostAddresses("{id}.nb.example")
    jupyter = addresses.find(f"{UUID}.NB.example:8801".encode(), f"/nb/{UUID}/lab?a".encode())
    assert jupyter.endpoint == Endpoint(notebook=UUID, kind=Kind.JUPYTER)
    assert (jupyter.path, jupyter.query, jupyter.prefix) == (f"/nb/{UUID}/lab".encode(), b"a", b"")
    assert jupyter.root == f"/nb/{UUID}/"
    service = addresses.find(b"77-svc.nb.example", b"//x?y")
    assert service.endpoint == Endpoint(notebook="77", kind=Kind.SERVICE)
    assert (service.path, service.query, service.prefix, service.root) == (b"//x", b"y", b"", "/")


def test_the_root_of_a_host_leads_to_jupyters() -> None:
    addresses = HostAddresses("{id}.nb.example")
    for target, location in ((b"/", b"/nb/7/"), (b"/?token=x", b"/nb/7/?token=x"), (b"/nb/7", b"/nb/7/")):
        with pytest.raises(Moved) as raised:
            addresses.find(b"7.nb.example", target)
        assert raised.value.location == location


@pytest.mark.parametrize(
    ("host", "target"),
    [
        (b"nb.example", b"/nb/7/"),
        (b"7.nb.example", b"/nb/8/"),
        (b"7.nb.example", b"/lab"),
        (b"7.nb.example", b"/svc/7/"),
        (b"7.nbxexample", b"/"),
        (b"a.7.nb.example", b"/"),
        (b"-7.nb.example", b"/"),
        (b"7.nb.example.evil", b"/"),
        (b"127.0.0.1:8801", b"/nb/7/"),
    ],
)
def test_other_hosts_and_paths_lead_nowhere(host: bytes, target: bytes) -> None:
    with pytest.raises(Problem) as raised:
        HostAddresses("{id}.nb.example").find(host, target)
    assert raised.value.status == 404


@pytest.mark.parametrize("template", ["nb.example", "{id}", "x.{id}.example", "{id}.nb.example/x", "{id}.{id}.example"])
def test_a_template_must_begin_with_the_id(template: str) -> None:
    with pytest.raises(ValueError, match="proxy host"):
        scheme_of(template)


@pytest.mark.parametrize("template", [None, "{id}.nb.example", "{id}-nb.example"])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_address_of_a_door_leads_to_it(template: str | None, kind: Kind) -> None:
    endpoint = Endpoint(notebook=UUID, kind=kind)
    address = address_of(endpoint, template=template, origin="https://trivium.example:8801")
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    assert scheme == "https"
    assert host.endswith(":8801")
    place = scheme_of(template).find(host.encode(), (slash + path).encode())
    assert place.endpoint == endpoint
    assert place.root == slash + path


def test_hosts_are_taken_apart() -> None:
    assert host_of(b"LOCALHOST:80") == ("localhost", 80)
    assert host_of(b"a.b.") == ("a.b", None)
    assert host_of(b"[::1]:8801") == ("[::1]", 8801)


@pytest.mark.parametrize(
    "host", [b"", b"a b", b"a/b", b"u@h", b"h:", b"h:80:81", b"h:x", b"a, b", b"h?x", b"h#", b"[x]"]
)
def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    with pytest.raises(Malformed):
        host_of(host)


def test_a_target_may_be_a_url_of_ours() -> None:
    assert target_of(b"/a?b", b"x") == b"/a?b"
    assert target_of(b"http://X:1/a?b", b"x:1") == b"/a?b"
    assert target_of(b"http://x:1", b"x:1") == b"/"


@pytest.mark.parametrize(
    "target", [b"http://y/", b"x:80", b"*", b"ftp://x/", b"http:///a", b"http://x@y/", b"http://x?a"]
)
def test_a_target_of_another_is_refused(target: bytes) -> None:
    with pytest.raises(Malformed):
        target_of(target, b"x")
