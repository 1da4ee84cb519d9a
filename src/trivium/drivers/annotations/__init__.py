"""Reads the sources of dataset imports on disk: directories, manifests and tables, sample by sample."""

from trivium.drivers.annotations.limits import Limits
from trivium.drivers.annotations.reader import SourceReader

__all__ = ["Limits", "SourceReader"]
