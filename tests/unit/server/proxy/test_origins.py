"""Pages of others can make a browser send nothing that counts."""

from __future__ import annotations

import pytest

from trivium.server.proxy.access import CredentialSource as Source
from trivium.server.proxy.heads import Fields, RequestHead
from trivium.server.proxy.origins import check_forgery, check_websocket, is_own
from trivium.server.proxy.problems import Problem


def head(method: str = "POST", **values: bytes) -> RequestHead:
    named = {name.replace("_", "-").encode(): value for name, value in values.items()}
    return RequestHead(method=method, target=b"/", minor=1, fields=Fields([], {}), values=named)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"http://a.example:8801", b"a.example:8801"),
        (b"http://A.example", b"a.EXAMPLE"),
        (b"http://a.example", b"a.example:80"),
        (b"https://a.example:443", b"a.example"),
        (b"http://[::1]:8801", b"[::1]:8801"),
    ],
)
def test_the_origin_of_our_own_pages_is_known(origin: bytes, host: bytes) -> None:
    assert is_own(origin, host, secure=False)


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"",
        b"http://b.example:8801",
        b"http://a.example:8800",
        b"http://a.example",
        b"http://a.example:8801.evil",
        b"http://evil.a.example:8801",
        b"http://a.example:8801/",
        b"http://u@a.example:8801",
        b"http://a.example:8801, http://b.example",
        b"ftp://a.example:8801",
        b"a.example:8801",
    ],
)
def test_other_origins_are_not_ours(origin: bytes) -> None:
    assert not is_own(origin, b"a.example:8801", secure=False)
    with pytest.raises(Problem):
        check_websocket(head("GET", origin=origin), b"a.example:8801", secure=False)
    with pytest.raises(Problem):
        check_forgery(head(origin=origin), b"a.example:8801", Source.COOKIE, secure=False)


def test_behind_https_a_page_without_it_is_another_origin() -> None:
    assert is_own(b"https://a", b"a", secure=True)
    assert not is_own(b"http://a", b"a", secure=True)


def test_programs_that_say_no_origin_may_open_websockets() -> None:
    check_websocket(head("GET"), b"a", secure=False)


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"something-new"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_what_a_cookie_lets_in_must_come_from_the_same_origin(site: bytes, method: str) -> None:
    with pytest.raises(Problem) as raised:
        check_forgery(head(method, sec_fetch_site=site), b"a", Source.COOKIE, secure=False)
    assert raised.value.status == 403
    with pytest.raises(Problem):
        check_forgery(head(method, sec_fetch_site=site), b"a", Source.NONE, secure=False)


def test_requests_that_change_nothing_or_say_their_secret_pass() -> None:
    check_forgery(head("GET", origin=b"http://b", sec_fetch_site=b"cross-site"), b"a", Source.COOKIE, secure=False)
    check_forgery(head("POST", origin=b"http://b", sec_fetch_site=b"cross-site"), b"a", Source.HEADER, secure=False)
    check_forgery(head("POST", sec_fetch_site=b"same-origin", origin=b"http://a"), b"a", Source.COOKIE, secure=False)
    check_forgery(head("POST"), b"a", Source.COOKIE, secure=False)
