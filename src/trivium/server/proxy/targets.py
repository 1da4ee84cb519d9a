"""Where a notebook is reached. Each kind has its own way to be connected to, and its own proof of whose it is."""

from __future__ import annotations

from pathlib import Path

from trivium.base.values import Value
from trivium.resources.notebooks.ports import LaunchKey


class UnixSocket(Value, frozen=True, cache_hash=True):
    """A socket in a directory that only the notebook's own user can write to: whoever answers is the notebook."""

    path: Path


class OwnedPort(Value, frozen=True, cache_hash=True):
    """A port that anybody on the machine could have taken: each connection is asked who accepted it."""

    key: LaunchKey  # whose processes must have
    port: int


class OtherProxy(Value, frozen=True, cache_hash=True):
    """The proxy of the server on whose host the notebook runs: it gets requests as they came, and judges anew."""

    host: str
    port: int


Target = UnixSocket | OwnedPort | OtherProxy
