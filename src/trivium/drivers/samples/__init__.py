"""The files of samples on disk: opened to be sent, made into small pictures, and taken in."""

from trivium.drivers.samples.store import FileStore

__all__ = ["FileStore"]
