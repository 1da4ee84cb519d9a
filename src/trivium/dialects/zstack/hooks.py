"""Web hooks: answers that are sent to an address which the call named, where the operator allows that address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from trivium.base.values import Value
from trivium.dialects.operation import Read
from trivium.dialects.zstack import jobs
from trivium.dialects.zstack.jobs import Jobs
from trivium.resources.operations import Hook

SCHEMES: Final = ("http", "https")
LONGEST: Final = 2048


class Letter(Value, frozen=True):
    """What is sent: a POST of JSON."""

    address: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def is_allowed(address: str, allowed: Iterable[str]) -> bool:
    """Whether answers may be sent to the address: its host is among those, or it begins as one of the addresses."""
    if len(address) > LONGEST or not address.isascii() or not address.isprintable() or set(address) & set(" \\@#"):
        return False
    asked = _split(address)
    if asked is None or asked.scheme not in SCHEMES or not asked.hostname or ".." in asked.path:
        return False
    return any(_covers(each, asked) for each in allowed)


def letter(tx: Read, hook: Hook, kept: Jobs) -> Letter:
    """What is sent of a job that has ended: the answer to who would look for it."""
    outcome = kept.outcome(tx, hook.operation)
    told = jobs.told(outcome)
    return Letter(
        address=hook.address,
        headers=(
            ("content-type", "application/json"),
            ("x-job-uuid", hook.operation.uuid.hex),
            ("x-job-success", "true" if outcome.error is None else "false"),
        ),
        body=msgspec.json.encode(told.shape),
    )


def _covers(allowed: str, asked: SplitResult) -> bool:
    """Whether what the operator allows, a host or how addresses begin, has this address."""
    if "://" not in allowed:
        return asked.hostname == allowed.lower()
    begins = _split(allowed)
    if begins is None or _origin(begins) != _origin(asked):
        return False
    return asked.path.startswith(begins.path) or (begins.path in ("", "/") and not asked.path)


def _origin(address: SplitResult) -> tuple[str, str | None, int]:
    return address.scheme, address.hostname, address.port or (443 if address.scheme == "https" else 80)


def _split(address: str) -> SplitResult | None:
    try:
        found = urlsplit(address)
        _ = found.port  # which is looked at only now
    except ValueError:
        return None
    return found
