"""What is to be made of a picture, as object storage writes it: `image/resize,m_lfit,h_200`.

Pictures are resized, and that alone: other actions are refused by their names, as what is not known of this one is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from trivium.dialects.modelarts.spelling import Text
from trivium.dialects.reading import OutOfBounds
from trivium.dialects.remembering import remembered
from trivium.resources.samples.ports import Fit, Resize

LONGEST: Final = 256
SIDES: Final[Mapping[str, str]] = {"w": "width", "h": "height", "l": "longest", "s": "shortest"}
BOUNDS: Final[Mapping[str, int]] = {**dict.fromkeys(SIDES, 4096), "p": 1000}
KNOWN: Final = frozenset({"m", "limit", "color", *BOUNDS})
NUMBER: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
COLOR: Final = re.compile(r"[0-9A-Fa-f]{6}")
LIMITS: Final = {"0": True, "1": False}
BOTH: Final = frozenset({Fit.FILL, Fit.PAD})


@remembered
def resize_of(text: str, field: str) -> Resize:
    """The size that a text asks for. `OutOfBounds`."""
    kind, _, action = text.partition("/")
    name, *parts = action.split(",")
    if kind != "image" or name != "resize" or "/" in action or len(text) > LONGEST:
        raise OutOfBounds(field, f"image/resize with what follows it, and no other action: not {text[:LONGEST]!r}")
    said = _said(parts, field)
    numbers = {SIDES.get(key, "percent"): _number(key, said[key], field) for key in BOUNDS if key in said}
    fit = _fit(said, field)
    ways = [said.keys() & {"w", "h"}, said.keys() & {"l", "s"}, said.keys() & {"p"}]
    if sum(map(bool, ways)) != 1 or (fit in BOTH and not {"w", "h"} <= said.keys()):
        raise OutOfBounds(field, "of one size: w, h or both (both for fill and pad), l, s or both, or p")
    if said.get("limit", "1") not in LIMITS:
        raise OutOfBounds(field, f"0 or 1 in limit, not {said['limit']!r}")
    color = said.get("color", "FFFFFF")
    if not COLOR.fullmatch(color) or ("color" in said and fit is not Fit.PAD):
        raise OutOfBounds(field, f"six hexadecimal digits in color, which pad has alone, not {color!r}")
    return Resize(fit=fit, enlarge=LIMITS[said.get("limit", "1")], color=color.upper(), **numbers)


def checked(text: Text, field: str) -> str:
    """What is to be made of pictures, if anything. `OutOfBounds`."""
    text = (text or "").strip()
    if text:
        resize_of(text, field)
    return text


def _said(parts: list[str], field: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in parts:
        key, has, value = part.partition("_")
        if not has or key not in KNOWN or key in said:
            raise OutOfBounds(field, f"resize with m, w, h, l, s, p, limit and color, each once: not {part!r}")
        said[key] = value
    return said


def _number(key: str, value: str, field: str) -> int:
    if not NUMBER.fullmatch(value) or not 1 <= int(value) <= BOUNDS[key]:
        raise OutOfBounds(field, f"1 to {BOUNDS[key]} in {key}, not {value!r}")
    return int(value)


def _fit(said: Mapping[str, str], field: str) -> Fit:
    named = said.get("m", Fit.LFIT.value)
    if named not in [*Fit]:
        raise OutOfBounds(field, f"{', '.join(Fit)} in m, not {named!r}")
    return Fit(named)
