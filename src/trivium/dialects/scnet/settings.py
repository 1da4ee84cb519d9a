"""What an operator may say of the dialect."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from trivium.base.units import MIB
from trivium.base.values import Value


class ImageList(StrEnum):
    """How lists of images are shaped: SCNet's example shows an object, its table an array."""

    OBJECT = "object"  # {records, total}
    ARRAY = "array"


class ScnetSettings(Value, frozen=True):
    """How SCNet is answered where its documents contradict themselves, or say nothing."""

    image_list: ImageList = ImageList.OBJECT
    body_limit: int = 10 * MIB
    token_lifetime: timedelta = timedelta(hours=24)
    replay_window: timedelta = timedelta(minutes=15)  # how far a signature's time may lie from ours
