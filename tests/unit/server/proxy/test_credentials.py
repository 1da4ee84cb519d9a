"""Credentials are found, tried in order, and kept from the notebook."""

from __future__ import annotations

import pytest

from trivium.server.proxy.access import NOTHING, Credential
from trivium.server.proxy.access import CredentialSource as Source
from trivium.server.proxy.credentials import (
    credentials_of,
    grant_cookie,
    is_ours,
    take_token,
    without_ours,
    without_token,
)


def test_all_ways_are_found_in_order() -> None:
    values = {b"authorization": b"token abc", b"cookie": b"a=b; trivium-nb-7=g1; trivium-nb-8=x;trivium-nb-7=g2"}
    assert credentials_of(values, "link", "7") == [
        Credential(source=Source.HEADER, secret="abc"),
        Credential(source=Source.LINK, secret="link"),
        Credential(source=Source.COOKIE, secret="g1"),
        Credential(source=Source.COOKIE, secret="g2"),
    ]


def test_nothing_shown_is_said_so() -> None:
    assert credentials_of({b"cookie": b"a=b"}, None, "7") == [NOTHING]
    assert credentials_of({}, "", "7") == [NOTHING]


def test_only_some_cookies_of_a_name_are_tried() -> None:
    values = {b"cookie": b"; ".join(b"trivium-nb-7=g%d" % number for number in range(50))}
    assert len(credentials_of(values, None, "7")) == 4


@pytest.mark.parametrize("field", [b"token abc", b"Token  abc", b"bearer abc", b"BEARER abc"])
def test_a_token_comes_in_two_spellings(field: bytes) -> None:
    assert credentials_of({b"authorization": field}, None, "7") == [Credential(source=Source.HEADER, secret="abc")]


@pytest.mark.parametrize("field", [b"Basic abc", b"token", b"token a b", b"token abc, token def", b"abc", b"tokenabc"])
def test_other_authorizations_are_none(field: bytes) -> None:
    assert credentials_of({b"authorization": field}, None, "7") == [NOTHING]


@pytest.mark.parametrize(
    ("query", "clean", "token"),
    [
        (b"", b"", None),
        (b"a=b", b"a=b", None),
        (b"token=x", b"", "x"),
        (b"a=b&token=x&c=d", b"a=b&c=d", "x"),
        (b"token=&token=y", b"", "y"),
        (b"%74oken=x&a", b"a", "x"),
        (b"token=a%2Fb+c", b"", "a/b c"),
        (b"token", b"", None),
        (b"tokens=x&mytoken=y", b"tokens=x&mytoken=y", None),
        (b"a=%20&&b", b"a=%20&&b", None),
    ],
)
def test_the_token_is_taken_off_a_query(query: bytes, clean: bytes, token: str | None) -> None:
    assert take_token(query) == (clean, token)


@pytest.mark.parametrize(
    "query",
    [
        b"token=s",
        b"a=b&token=s",
        b"tok%65n=s",
        b"a=b&%74%6F%6b%45%4e=s",
        b"Token=s",
        b"next=%2Fnb%2F8%2Flab%3Ftoken%3Ds",
        b"next=http%253A%252F%252Fh%252Fnb%252F8%253F%2574oken%253Ds",
        b"a=b?token=s",
        b"access_token=s",
    ],
)
def test_where_a_browser_came_from_is_told_without_tokens(query: bytes) -> None:
    assert without_token(b"http://h:1/nb/7/lab?" + query) == b"http://h:1/nb/7/lab"


@pytest.mark.parametrize(
    "referer", [b"http://h/token", b"http://h/nb/7/lab?a=b&c=%20", b"http://h/?", b"", b"?", b"no address?%zz=1"]
)
def test_where_a_browser_came_from_is_told_as_it_is_else(referer: bytes) -> None:
    assert without_token(referer) == referer


def test_our_cookies_are_kept_from_the_notebook() -> None:
    assert without_ours(b"a=b; trivium-nb-7=g; _xsrf=2|x ; TRIVIUM-session=s;c") == b"a=b; _xsrf=2|x; c"
    assert without_ours(b"trivium-nb-7=g") == b""
    assert is_ours(b" __Host-trivium-nb-7 ")
    assert not is_ours(b"my-trivium-nb-7")


def test_a_grant_is_a_cookie_that_scripts_and_other_sites_do_not_get() -> None:
    assert grant_cookie("7", "a.b", path="/nb/7/", secure=False) == (
        "trivium-nb-7=a.b; Path=/nb/7/; HttpOnly; SameSite=Lax"
    )
    assert grant_cookie("7", "a", path="/", secure=True).endswith("; Secure")


@pytest.mark.parametrize("grant", ["", "a;b", "a b", "a\r\nb", "a,b", 'a"b', "é"])
def test_a_grant_that_would_break_a_cookie_is_an_error(grant: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        grant_cookie("7", grant, path="/", secure=False)


def test_a_secret_is_not_shown() -> None:
    assert "abc" not in repr(Credential(source=Source.LINK, secret="abc"))
