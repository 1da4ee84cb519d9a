"""How much of a source is looked at. Every limit refuses: nothing is silently left out."""

from __future__ import annotations

from typing import Final

from trivium.base.units import KIB, MIB
from trivium.base.values import Value
from trivium.resources.datasets.ports import LONGEST_LABEL

XML: Final = MIB  # of a file of Pascal VOC
XML_DEPTH: Final = 16
XML_ELEMENTS: Final = 60_000
LABEL_FILE: Final = 64 * KIB
LABELS: Final = 10_000  # of one sample
LABEL: Final = LONGEST_LABEL  # characters of its name
TEXT: Final = 4 * KIB  # characters of one value that is kept
LINE: Final = MIB  # of a manifest
TEXT_LINE: Final = 256 * KIB  # of a text, and of a row with all its lines
COLUMNS: Final = 4096
JPEG_SEGMENTS: Final = 1000
COORDINATE: Final = 1_000_000_000  # pixels


class Limits(Value, frozen=True):
    """What may be more or less elsewhere."""

    depth: int = 32  # of directories
    batch: int = 100_000  # names that are sorted at a time
    pixels: int = 100_000_000  # of an image
