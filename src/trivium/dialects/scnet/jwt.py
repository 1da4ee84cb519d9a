"""JSON web tokens (RFC 7519) with HMAC-SHA-256 and no other algorithm: what SCNet's tokens are.

A library for all of JOSE takes a tenth of a server's start to import, and these are thirty lines.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

HEADER: Final = {"alg": "HS256", "typ": "JWT"}


class BadJwt(ValueError):
    """The token is none, or was not signed with that key in that way, or was changed."""


def encode(claims: Mapping[str, Any], key: bytes) -> str:
    """The token that carries these claims."""
    signed = f"{_part(msgspec.json.encode(HEADER))}.{_part(msgspec.json.encode(claims))}"
    return f"{signed}.{_signature(signed, key)}"


def decode(token: str, key: bytes) -> dict[str, Any]:
    """The claims of a token. Raises `BadJwt`; nothing of the token is read before its signature is seen to be right."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed, key).encode(), signature.encode("utf-8", "surrogatepass")):
        raise BadJwt
    head, _, body = signed.partition(".")
    try:
        header = msgspec.json.decode(_bytes(head), type=dict[str, Any])
        claims = msgspec.json.decode(_bytes(body), type=dict[str, Any])
    except ValueError as error:  # what msgspec raises is one
        raise BadJwt from error
    if header.get("alg") != HEADER["alg"] or "crit" in header:
        raise BadJwt  # we sign no other way, and know no header that must be understood
    return claims


def _signature(signed: str, key: bytes) -> str:
    return _part(hmac.digest(key, signed.encode("utf-8", "surrogatepass"), hashlib.sha256))


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
