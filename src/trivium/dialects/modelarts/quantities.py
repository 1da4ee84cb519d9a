"""Kubernetes' quantities, in which pools and nodes say what they have: `3920m`, `6270Mi`, `8`."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from trivium.base.errors import Invalid
from trivium.base.units import GIB, KIB, MIB

QUANTITY: Final = re.compile(
    r"([+-]?\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d{1,2})?", re.ASCII
)
FACTORS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


class BadQuantity(Invalid):
    """A quantity is written as none."""

    code = "modelarts.bad_quantity"


def cores(millicores: int) -> str:
    """Cores, in whole ones where there is no rest: `4`, `3920m`."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def memory(size: int) -> str:
    """Bytes, in the largest unit that leaves no rest: `64Gi`, `6270Mi`; what is left of a KiB is dropped."""
    for unit, name in ((GIB, "Gi"), (MIB, "Mi")):
        if size % unit == 0 and size:
            return f"{size // unit}{name}"
    return f"{size // KIB}Ki" if size else "0"


def read(text: str, field: str) -> Decimal:
    """The number that a quantity stands for. `BadQuantity`."""
    match = QUANTITY.fullmatch(text.strip())
    if match is None:
        raise BadQuantity(field)
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return number * Decimal(10) ** int(suffix[1:])
    return number * FACTORS[suffix]


def read_millicores(text: str, field: str) -> int:
    """Thousandths of cores, rounded up. `BadQuantity`."""
    return math.ceil(read(text, field) * 1000)


def read_bytes(text: str, field: str) -> int:
    """Bytes, rounded up. `BadQuantity`."""
    return math.ceil(read(text, field))
