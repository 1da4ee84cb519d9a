"""What is signed of a request is what Huawei's own client signs, however strange its path, query, headers and body."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.huawei import BasicCredentials, SdkRequest, Signer, quiet
from trivium.dialects.modelarts import signing

KEY, SECRET = "AK" * 10, "secret" * 7
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


def signed(method: str, path: str, query: list[tuple[str, Any]], body: str, **headers: Any) -> SdkRequest:
    """A request as Huawei's client signs it."""
    request = SdkRequest(
        method=method,
        schema="http",
        host="127.0.0.1:8800",
        resource_path=path,
        query_params=list(query),
        header_params={"Content-Type": "application/json", "User-Agent": "x/1", **headers},
        body=body,
    )
    with quiet():
        return Signer(BasicCredentials(KEY, SECRET, "p")).sign(request)


def verified(request: SdkRequest, *, secret: str = SECRET, hosts: tuple[str, ...] = (), **changed: str) -> bool:
    """Whether we would take it."""
    headers = {name.lower(): value for name, value in request.header_params.items()} | changed
    signature = signing.parsed(headers)
    assert signature is not None
    body = request.body or b""
    payload = signing.payload_hash(
        body, declared=headers.get(signing.CONTENT), content_type=headers.get("content-type", "")
    )
    path, _, query = request.uri.partition("?")
    return payload is not None and any(
        signing.expected(
            secret,
            method=request.method,
            raw_path=path.encode(),
            raw_query=query.encode(),
            headers=seen,
            payload=payload,
            stamp=signature.stamp,
        )
        == signature.signature
        for seen in signing.spellings(signature, headers, hosts)
    )


@given(
    st.lists(
        st.tuples(TEXT.filter(bool), st.one_of(TEXT, st.integers(), st.booleans(), st.lists(TEXT, max_size=3))),
        unique_by=lambda pair: pair[0],
    ),
    TEXT,
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
)
def test_a_request_of_huaweis_client_is_taken(query: list[tuple[str, Any]], body: str, method: str) -> None:
    assert verified(signed(method, "/v1/0f3c/notebooks", query, body))


@pytest.mark.parametrize("path", ["/v1/p", "/v1/p/", "/v1/a%20b/c", "/v1/%E4%B8%AD", "/v1/a%2Fb", "/v1/a~b_c.d-e"])
def test_a_path_is_signed_decoded_and_encoded_anew(path: str) -> None:
    assert verified(signed("GET", path, [], ""))


def test_a_header_that_was_signed_as_utf8_is_read_so_however_it_travels() -> None:
    request = signed("GET", "/v1/p", [], "", **{"X-Note": "中文"})
    assert request.header_params["X-Note"] == "中文".encode().decode("latin-1")
    assert verified(request)


@pytest.mark.parametrize(
    "changed",
    [
        {"user-agent": "y"},
        {"host": "127.0.0.1:8801"},
        {"content-type": "text/plain"},
        {"x-sdk-date": "20260101T000000Z"},
    ],
)
def test_whatever_was_signed_cannot_be_changed(changed: dict[str, Any]) -> None:
    assert not verified(signed("GET", "/v1/p", [("a", "1")], ""), **changed)


def test_another_query_body_or_secret_is_not_what_was_signed() -> None:
    request = signed("POST", "/v1/p", [("a", "1")], '{"b":1}')
    assert verified(request)
    assert not verified(request, secret="another")
    request.uri = "/v1/p?a=2"
    assert not verified(request)
    request = signed("POST", "/v1/p", [], '{"b":1}')
    request.body = b'{"b":2}'
    assert not verified(request)


def test_behind_a_proxy_the_host_that_clients_sign_for_may_be_another() -> None:
    request = signed("GET", "/v1/p", [], "", Host="modelarts.example")
    request.header_params["Host"] = "10.0.0.1:8800"
    assert not verified(request)
    assert verified(request, hosts=("other.example", "modelarts.example"))


def test_the_headers_that_the_go_client_signs_are_enough() -> None:
    headers = {"accept": "application/json", "content-type": "application/json", "user-agent": "golangsdk/2"}
    headers["x-sdk-date"] = "20261121T013000Z"
    names = tuple(sorted(headers))
    sign = signing.expected(
        SECRET,
        method="GET",
        raw_path=b"/v1/p/notebooks",
        raw_query=b"limit=10",
        headers=[(name, headers[name].encode()) for name in names],
        payload=EMPTY,
        stamp=headers["x-sdk-date"],
    )
    said = f"SDK-HMAC-SHA256 Access={KEY},SignedHeaders={';'.join(names)},Signature={sign.upper()}"
    found = signing.parsed(headers | {"authorization": said, "x-project-id": "added later"})
    assert found == signing.Signature(access_key=KEY, headers=names, signature=sign, stamp="20261121T013000Z")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "SDK-HMAC-SM3 Access=a, SignedHeaders=x-sdk-date, Signature=b",
        "V11-HMAC-SHA256 Credential=a/20260101/r/s, SignedHeaders=x-sdk-date, Signature=b",
        "SDK-HMAC-SHA256 Credential=a, SignedHeaders=x-sdk-date, Signature=b",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=, Signature=b",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date;absent, Signature=b",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=user-agent, Signature=b",
        "SDK-HMAC-SHA256 " + "," * 3000,
    ],
)
def test_a_signature_of_another_form_is_none(authorization: str) -> None:
    stamped = {"x-sdk-date": "20261121T013000Z", "user-agent": "x"}
    assert signing.parsed(stamped | {"authorization": authorization}) is None


@pytest.mark.parametrize(
    "stamp", ["20261121T013000", "2026-11-21T01:30:00Z", "", "20261121T013000Z0", "٢0261121T013000Z"]
)
def test_a_stamp_of_another_form_is_none(stamp: str) -> None:
    authorization = "SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature=b"
    assert signing.parsed({"authorization": authorization, "x-sdk-date": stamp}) is None
    assert signing.time_of("20261399T013000Z") is None


def test_a_body_is_left_unsigned_only_where_it_is_no_json() -> None:
    unsigned = "UNSIGNED-PAYLOAD"
    assert signing.payload_hash(b"x", declared=unsigned, content_type="application/octet-stream") == unsigned
    assert signing.payload_hash(b"{}", declared=unsigned, content_type="application/json;charset=utf-8") is None
    assert signing.payload_hash(b"{}", declared=unsigned, content_type="application/merge-patch+json") is None
    assert signing.payload_hash(b"", declared=unsigned, content_type="application/json") == EMPTY
    assert signing.payload_hash(b"x", declared=EMPTY, content_type="text/plain") is None
