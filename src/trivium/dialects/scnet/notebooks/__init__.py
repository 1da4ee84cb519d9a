"""Notebooks: listed, made, started, stopped, renamed, released and opened."""

from trivium.dialects.scnet.notebooks.operations import operations

__all__ = ["operations"]
