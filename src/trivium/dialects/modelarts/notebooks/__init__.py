"""Notebooks: listed, made, started, stopped and deleted; and the flavors that they are made of."""

from trivium.dialects.modelarts.notebooks.flavors import OPERATIONS as FLAVORS
from trivium.dialects.modelarts.notebooks.operations import operations

__all__ = ["FLAVORS", "operations"]
