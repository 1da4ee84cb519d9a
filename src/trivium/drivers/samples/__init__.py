"""The files of samples on disk: opened to be sent, made into small pictures, taken in, and deleted."""

from trivium.drivers.samples.removal import FileRemover
from trivium.drivers.samples.store import FileStore

__all__ = ["FileRemover", "FileStore"]
