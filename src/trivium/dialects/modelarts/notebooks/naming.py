"""What a flavor is called: `modelarts.vm.<kind>.<units>u`, so many units of what a pool has of a kind."""

from __future__ import annotations

import re
from typing import Final

from trivium.base.query import Condition, Op
from trivium.base.values import Value
from trivium.resources.images import KINDS

PREFIX: Final = "modelarts.vm."
FLAVOR: Final = re.compile(r"modelarts\.vm\.([a-z]+)\.([1-9][0-9]{0,3})u")
FRAGMENT: Final = re.compile(r"(.*?)([0-9]*)(u?)", re.DOTALL)

CATEGORIES: Final = {"cpu": "CPU", "gpu": "GPU", "dcu": "GPU", "mlu": "GPU", "npu": "ASCEND"}
"""ModelArts knows three kinds of processors; DCUs and MLUs are programmed like GPUs, and are shown as such."""


class Asked(Value, frozen=True):
    """What the name of a flavor stands for."""

    kind: str
    units: int


def flavor_id(kind: str, units: int) -> str:
    """The name of so many units of a kind."""
    return f"{PREFIX}{kind}.{units}u"


def asked_of(name: str) -> Asked | None:
    """What a name stands for; None where it is none of ours."""
    match = FLAVOR.fullmatch(name.strip())
    return Asked(kind=match[1], units=int(match[2])) if match and match[1] in KINDS else None


def containing(text: str) -> tuple[Condition, ...]:
    """What must hold of notebooks whose flavor's name has the text in it."""
    text = text.lower()
    whole = tuple(kind for kind in KINDS if text in f"{PREFIX}{kind}.")
    if whole:
        return (Condition(field="kind", op=Op.IN, value=whole),)
    match = FRAGMENT.fullmatch(text)
    head, digits, end = match.groups() if match else (text, "", "")
    kinds = tuple(kind for kind in KINDS if f"{PREFIX}{kind}.".endswith(head))
    pattern = f"{'' if head else '%'}{digits}{'' if end else '%'}"
    return (Condition(field="kind", op=Op.IN, value=kinds), Condition(field="units", op=Op.LIKE, value=pattern))
