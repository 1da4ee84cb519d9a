"""Settings as people look at them: each with where it came from, and nothing secret in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trivium.base.values import Value
from trivium.server.settings import parsing
from trivium.server.settings.loading import Loaded

PASSWORD: Final = re.compile(r"(://[^:@/]*):[^@/]*@|([?&]password=)[^&]*")


class Shown(Value, frozen=True):
    """One setting."""

    key: str
    value: str | int | float | bool | None
    origin: str


def show(loaded: Loaded) -> Sequence[Shown]:
    """Every setting, in the order of their sections; the database's password is masked."""
    return [Shown(key=key, value=_value(loaded, key), origin=origin) for key, origin in loaded.origins.items()]


def masked(url: str) -> str:
    """A database's URL without its password."""
    return PASSWORD.sub(lambda match: f"{match[1]}:****@" if match[1] is not None else f"{match[2]}****", url)


def _value(loaded: Loaded, key: str) -> str | int | float | bool | None:
    section, _, name = key.partition(".")
    value = parsing.shown(getattr(getattr(loaded.settings, section), name))
    return masked(value) if key == "database.url" and isinstance(value, str) else value
