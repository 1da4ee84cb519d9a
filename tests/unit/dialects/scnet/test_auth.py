"""Signatures and tokens."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from scnet import signing

from trivium.base.keyring import Keyring
from trivium.dialects.scnet.auth import Tokens, signature_of
from trivium.dialects.scnet.errors import BadToken

KEYRING = Keyring(bytes(range(32)))


def test_a_signature_is_the_one_of_the_test_vector() -> None:
    made = signature_of("sk-demo", access_key="ak-demo", timestamp="1764597591", user="alice")
    assert made == "658f64133f0aa5a93f0078f9f7501e36b7eb4bf220565aa535d5a8913954a00d"


@pytest.mark.parametrize("user", ["alice", 'a"b\\c', "小明", "", "a\tb"])
def test_a_signature_is_the_one_that_scnets_own_client_makes(user: str) -> None:
    made = signature_of("s3cret", access_key="AK\\1", timestamp="1", user=user)
    assert made == signing.sign("AK\\1", "s3cret", user, "1")


def forged(claims: dict[str, object], algorithm: str = "HS256", key: bytes = bytes(32)) -> str:
    return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, OctKey.import_key(key), algorithms=[algorithm])


HEADS = [
    urlsafe_b64encode(head).rstrip(b"=").decode()
    for head in (
        b"[]",
        b'{"alg":{}}',
        b'{"alg":"HS256","crit":1}',
        b'{"alg":"HS256","crit":[[]]}',
        b"[" * 9000,
        b"\xff",
    )
]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "." * 10,
        forged({"sessionId": "1"}),
        "eyJhbGciOiJub25lIn0.eyJzZXNzaW9uSWQiOiIxIn0.",
        forged({"sessionId": "1"}, "HS512"),
        "\u4e2d.\u6587.x",
        *(f"{headed}.e30.AAAA" for headed in HEADS),
    ],
)
def test_a_token_that_was_not_made_here_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        Tokens(KEYRING, timedelta(hours=1)).session_of(token)


@pytest.mark.parametrize("claims", [{}, {"sessionId": "x"}, {"sessionId": None}, {"sessionId": -1}])
def test_a_token_without_a_session_is_refused(claims: dict[str, object]) -> None:
    with pytest.raises(BadToken):
        Tokens(KEYRING, timedelta(hours=1)).session_of(forged(claims, key=KEYRING.derive("scnet.tokens")))
