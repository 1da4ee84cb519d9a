"""The calls that a server makes to another host's runtime, and how they and their results are written down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from trivium.base.values import Value
from trivium.resources.notebooks.ports import LaunchKey


class Execute(Value, frozen=True):
    """A command to be run inside a notebook."""

    key: LaunchKey
    command: str
    timeout: timedelta


class Listener(Value, frozen=True):
    """A port of a notebook to be looked at."""

    key: LaunchKey
    port: int


class Logs(Value, frozen=True):
    """A piece of a log to be read."""

    key: LaunchKey
    since: int


class Fingerprint(Value, frozen=True):
    """An environment to be looked at, the cheap way."""

    path: Path


class Digest(Value, frozen=True):
    """An environment to be read whole."""

    path: Path


class SavedLayer(Value, frozen=True):
    """A saved layer to be read whole."""

    path: Path


Call = Execute | Listener | Logs | Fingerprint | Digest | SavedLayer
KINDS: Final[dict[str, type[Call]]] = {
    kind.__name__: kind for kind in (Execute, Listener, Logs, Fingerprint, Digest, SavedLayer)
}


def encoded(value: object) -> str:
    """JSON, with paths as text."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def decoded(text: str, kind: Any) -> Any:  # noqa: ANN401 - of that kind
    """The value of that kind again."""
    return msgspec.json.decode(text, type=kind, dec_hook=_of_text)


def _of_text(kind: type, value: str) -> object:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)
