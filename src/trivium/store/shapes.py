"""The shapes of statements that were compiled, kept by the store that uses them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

MOST: Final = 4096
"""Shapes that are kept. Callers choose shapes, so they must not fill the memory."""


class Shapes:
    """What was compiled, by shape; the oldest go when there are too many. Safe in several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._plans: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self._plans)

    def get(self, shape: Hashable) -> Any:
        """What was compiled for the shape, or None."""
        return self._plans.get(shape)

    def put(self, shape: Hashable, plan: object) -> None:
        """Keep what was compiled. Two threads may both have compiled a shape; one result stays."""
        plans = self._plans
        if len(plans) >= self._most:
            for oldest in list(plans)[: max(self._most // 4, 1)]:
                plans.pop(oldest, None)
        plans[shape] = plan
