"""Datasets: made of what is in a bucket, imported into, labelled, and shown with their samples."""

from trivium.dialects.modelarts.datasets.operations import operations

__all__ = ["operations"]
