"""Models, which ModelArts calls AI applications: listed, made of files or of an image, shown, deleted."""

from trivium.dialects.modelarts.models.operations import operations

__all__ = ["operations"]
