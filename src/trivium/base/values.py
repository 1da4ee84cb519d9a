"""The ground for values: frozen structs that are compared by what they hold."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen value with named fields; changed copies come from `msgspec.structs.replace`."""
