"""Reads the files of models on disk: sizes, checksums, and what their headers and cards say."""

from trivium.drivers.artifacts.limits import Limits
from trivium.drivers.artifacts.reader import ArtifactReader

__all__ = ["ArtifactReader", "Limits"]
