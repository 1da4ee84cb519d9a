"""Notebooks: listed, made, started, stopped, renamed, released and opened."""

from trivium.dialects.scnet.notebooks.operations import OPERATIONS

__all__ = ["OPERATIONS"]
