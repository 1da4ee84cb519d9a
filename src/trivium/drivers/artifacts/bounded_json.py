"""JSON of strangers: bounded in size, depth and number of things, and without the same key twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

from trivium.drivers.artifacts import limits
from trivium.resources.models import ArtifactRefused, Fault

# A string that does not end is one token, too: to look for its end anew from each quote in it would take for ever.
TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def parse(raw: bytes, name: str) -> dict[str, Any]:
    """The object in a small JSON file. Raises `ArtifactRefused`."""
    _measure(raw, name)

    def of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = counts.most_common(1)[0][0]
            raise ArtifactRefused(Fault.DUPLICATE, name, key=twice[:200])
        return made

    try:
        found = json.loads(raw, object_pairs_hook=of)
    except (ValueError, RecursionError) as error:
        position = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise ArtifactRefused(Fault.MALFORMED, name, form="JSON", position=position) from error
    if not isinstance(found, dict):
        raise ArtifactRefused(Fault.MALFORMED, name, form="JSON", position=0)
    return found  # pyright: ignore[reportUnknownVariableType] - what an object of JSON holds is found when it is used


def _measure(raw: bytes, name: str) -> None:
    """Refuse what would take much memory or a deep stack, before anything is made of it."""
    depth = items = 0
    for token in TOKEN.finditer(raw):
        first = raw[token.start()]
        items += 1
        if first in b"[{":
            depth += 1
            if depth > limits.CONFIG_DEPTH:
                raise ArtifactRefused(Fault.NESTED, name, limit=limits.CONFIG_DEPTH)
        elif first in b"]}":
            depth -= 1
            items -= 1
        if items > limits.CONFIG_ITEMS:
            raise ArtifactRefused(Fault.TOO_LARGE, name, what="JSON", size=items, limit=limits.CONFIG_ITEMS)
