"""The datasets room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound


class NoSuchDataset(NotFound):
    """There is no such dataset that the caller may see."""

    code = "dataset.not_found"


class DatasetInUse(Conflict):
    """Instances have the dataset."""

    code = "dataset.in_use"
