"""AI models: what can be known of one from its files, and how much memory of accelerators it needs."""

from __future__ import annotations

from trivium.resources.models.errors import ArtifactRefused, Fault
from trivium.resources.models.sizing import MemoryFigures, figures
from trivium.resources.models.types import Facts, FileDone, Progress, Shape, TensorTotal

__all__ = [
    "ArtifactRefused",
    "Facts",
    "Fault",
    "FileDone",
    "MemoryFigures",
    "Progress",
    "Shape",
    "TensorTotal",
    "figures",
]
