"""SDK-HMAC-SHA256: what a client signs of a request, as Huawei's "API Request Signing Guide" has it.

Everything here is pure. What is signed is made of the request as it came, byte for byte: the raw path, the raw query
and the headers that the client lists. Two habits are met with: Huawei's Python SDK signs all headers that it sends, the
host with its port among them; the Go SDK beneath Terraform signs neither the host nor the project.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from trivium.base.values import Value
from trivium.dialects.remembering import remembered

ALGORITHM: Final = "SDK-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
DATE: Final = "x-sdk-date"
CONTENT: Final = "x-sdk-content-sha256"
STAMP: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
USUAL: Final = re.compile(r"Access=([^,\s]+), SignedHeaders=([^,\s]+), Signature=([^,\s]+)")
"""What follows the algorithm as both of Huawei's clients write it."""
HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
NOTHING: Final = hashlib.sha256().hexdigest()
MOST_HEADERS: Final = 64
PLAIN_PATH: Final = re.compile(rb"[-./A-Z_a-z~0-9]*")
"""A path that is encoded as it is: nearly every one."""
PLAIN_QUERY: Final = re.compile(rb"[-.A-Z_a-z~0-9]+=[-.A-Z_a-z~0-9]*(?:&[-.A-Z_a-z~0-9]+=[-.A-Z_a-z~0-9]*)*")
"""A query that is encoded as it is."""


class Signature(Value, frozen=True):
    """What an `Authorization` header says."""

    access_key: str
    headers: tuple[str, ...]  # the names of what was signed, in that order
    signature: str  # lower-case hex
    stamp: str  # the time, as the client wrote it


def parsed(headers: Mapping[str, str]) -> Signature | None:
    """The signature that headers carry; None where they carry none, or one of another form or algorithm."""
    algorithm, _, rest = headers.get("authorization", "").partition(" ")
    stamp = headers.get(DATE, "").strip()
    if algorithm != ALGORITHM or not STAMP.fullmatch(stamp):
        return None
    usual = USUAL.fullmatch(rest)
    if usual is not None:
        access_key, signed, signature = usual.groups()
    else:
        parts = dict(_pair(part) for part in rest.split(","))
        if set(parts) != {"Access", "SignedHeaders", "Signature"}:
            return None
        access_key, signed, signature = parts["Access"], parts["SignedHeaders"], parts["Signature"]
    names = tuple(signed.lower().split(";"))
    if DATE not in names or len(names) > MOST_HEADERS or not all(map(headers.__contains__, names)):
        return None
    return Signature(access_key=access_key, headers=names, signature=signature.lower(), stamp=stamp)


def time_of(stamp: str) -> datetime | None:
    """The time that a stamp of the form `STAMP` names; None for a day or an hour that is none."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


def payload_hash(body: bytes, *, declared: str | None, content_type: str) -> str | None:
    """What stands for the body in what is signed; None where the client declares another body than there is.

    A body that is not JSON (an upload) may be left unsigned.
    """
    if not body:
        return NOTHING
    found = hashlib.sha256(body).hexdigest()
    if declared is None:
        return found
    if HASH.fullmatch(declared):
        return declared if hmac.compare_digest(declared.lower(), found) else None
    return UNSIGNED if declared == UNSIGNED and not _is_json(content_type) else None


@remembered
def canonical_uri(raw_path: bytes) -> str:
    """The path, decoded and each segment encoded anew, with a slash at its end."""
    if PLAIN_PATH.fullmatch(raw_path):
        uri = raw_path.decode()
        return uri if uri.endswith("/") else f"{uri}/"
    segments = unquote_to_bytes(raw_path).split(b"/")
    uri = "/".join(quote_from_bytes(segment, safe="~") for segment in segments)
    return uri if uri.endswith("/") else f"{uri}/"


@remembered
def canonical_query(raw_query: bytes) -> str:
    """The query's names and values, decoded, in order, and encoded anew; names without a value have an empty one."""
    if PLAIN_QUERY.fullmatch(raw_query):
        return b"&".join(sorted(raw_query.split(b"&"), key=_by_name)).decode()
    pairs = sorted(_decoded(pair) for pair in raw_query.split(b"&") if pair)
    return "&".join(f"{quote_from_bytes(name, safe='~')}={quote_from_bytes(value, safe='~')}" for name, value in pairs)


def expected(
    secret: str,
    *,
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    headers: Sequence[tuple[str, bytes]],
    payload: str,
    stamp: str,
) -> str:
    """The signature of a request, in lower-case hex. `headers`: what is signed of them, in that order."""
    listed = ";".join(name for name, _ in headers)
    lines = b"".join(b"%s:%s\n" % (name.encode(), value) for name, value in headers)
    head = f"{method}\n{canonical_uri(raw_path)}\n{canonical_query(raw_query)}\n".encode()
    canonical = head + lines + f"\n{listed}\n{payload}".encode()
    said = f"{ALGORITHM}\n{stamp}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.digest(secret.encode(), said.encode(), "sha256").hex()


def spellings(
    signature: Signature, headers: Mapping[str, str], hosts: Sequence[str]
) -> Iterator[list[tuple[str, bytes]]]:
    """The headers that were signed, in each way in which a client may have seen them.

    What HTTP carries as Latin-1 was signed as UTF-8, or was UTF-8 on the wire, too; and where a proxy stands before us,
    the host that was signed is one of `hosts`.
    """
    values = [(name, headers[name].strip()) for name in signature.headers]
    plain = "".join([value for _, value in values]).isascii()
    for host in (None, *hosts) if "host" in signature.headers else (None,):
        seen = values if host is None else [(name, host if name == "host" else value) for name, value in values]
        yield [(name, value.encode()) for name, value in seen]
        if not plain:
            yield [(name, value.encode("latin-1", "replace")) for name, value in seen]


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition("=")
    return name, value


def _decoded(pair: bytes) -> tuple[bytes, bytes]:
    name, _, value = pair.partition(b"=")
    return unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" "))


def _by_name(pair: bytes) -> tuple[bytes, bytes]:
    name, _, value = pair.partition(b"=")
    return name, value


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
