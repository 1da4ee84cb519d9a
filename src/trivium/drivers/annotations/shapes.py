"""Shapes in images, in the words of ModelArts: a kind, and a list of lists of numbers.

A box is two corners, a circle `[[x, y], [r]]`; all others are points. What cannot be, or lies outside, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeGuard, cast

from trivium.base.values import Value
from trivium.drivers.annotations import limits
from trivium.resources.datasets.ports import Json

Number = int | float
Feature = list[list[Number]]
PAIR: Final = 2
CORNERS: Final = 2
BOX: Final = "bndbox"
CIRCLE: Final = "circle"
POINTS: Final[Mapping[str, tuple[int, int | None]]] = {
    "point": (1, 1),
    "line": (2, 2),
    "dashed": (2, 2),
    "polyline": (2, None),
    "polygon": (3, None),
}
"""How many points a shape has, at least and at most."""

KINDS: Final = frozenset((BOX, CIRCLE, *POINTS))


class Bounds(Value, frozen=True):
    """How far shapes may reach."""

    width: int = limits.COORDINATE
    height: int = limits.COORDINATE


ANYWHERE: Final = Bounds()


def of_coordinates(kind: str, said: Mapping[str, Number]) -> Feature | None:
    """The shape that named coordinates of Pascal VOC are; None where some are missing, or there are others."""
    if kind == BOX:
        return _named(said, ("xmin", "ymin"), ("xmax", "ymax"))
    if kind == CIRCLE:
        return _named(said, ("cx", "cy"), ("r",))
    if kind == "point" and "x" in said:
        return _named(said, ("x", "y"))
    return _named(said, *((f"x{number}", f"y{number}") for number in range(1, len(said) // 2 + 1)))


def of_json(kind: str, said: Json) -> Feature | None:
    """The shape that a list in a manifest is, which may be flat for a point and a circle; None where it is none."""
    if not isinstance(said, list):
        return None
    if _are_numbers(said):
        said = cast("list[Json]", [said[:2], said[2:]] if kind == CIRCLE else [said])
    return cast("Feature", said) if all(isinstance(one, list) and _are_numbers(one) for one in said) else None


def fits(kind: str, feature: Feature, bounds: Bounds) -> bool:
    """Whether there can be such a shape within bounds."""
    if kind == CIRCLE:
        return [*map(len, feature)] == [2, 1] and feature[1][0] > 0 and _inside(feature[:1], bounds)
    if not _inside(feature, bounds):
        return False
    if kind == BOX:
        return len(feature) == CORNERS and all(low < high for low, high in zip(*feature, strict=True))
    least, most = POINTS[kind]
    return least <= len(feature) and (most is None or len(feature) <= most)


def _inside(points: Feature, bounds: Bounds) -> bool:
    return all(len(one) == PAIR and 0 <= one[0] <= bounds.width and 0 <= one[1] <= bounds.height for one in points)


def _named(said: Mapping[str, Number], *points: tuple[str, ...]) -> Feature | None:
    if sum(map(len, points)) != len(said) or any(name not in said for names in points for name in names):
        return None
    return [[said[name] for name in names] for names in points]


def _are_numbers(said: Sequence[Json]) -> TypeGuard[list[Number]]:
    return bool(said) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in said
    )
