"""Datasets as entries of the catalogue."""

from trivium.resources.datasets.table import DATASETS, SEEN, dataset_of, datasets
from trivium.resources.datasets.types import Dataset, DatasetChange, DataType, NewDataset, Usage

__all__ = [
    "DATASETS",
    "SEEN",
    "DataType",
    "Dataset",
    "DatasetChange",
    "NewDataset",
    "Usage",
    "dataset_of",
    "datasets",
]
