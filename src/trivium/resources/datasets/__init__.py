"""Datasets as entries of the catalogue."""

from trivium.resources.datasets.errors import DatasetInUse, NoSuchDataset
from trivium.resources.datasets.service import (
    DATA_TYPE,
    USAGES,
    change,
    create,
    delete,
    delete_many,
    get,
    markable,
    thing_of,
)
from trivium.resources.datasets.table import DATASETS, LISTING, datasets
from trivium.resources.datasets.types import Dataset, DatasetChange, DataType, NewDataset, Usage
from trivium.resources.datasets.users import DatasetsInStores

__all__ = [
    "DATASETS",
    "DATA_TYPE",
    "LISTING",
    "USAGES",
    "DataType",
    "Dataset",
    "DatasetChange",
    "DatasetInUse",
    "DatasetsInStores",
    "NewDataset",
    "NoSuchDataset",
    "Usage",
    "change",
    "create",
    "datasets",
    "delete",
    "delete_many",
    "get",
    "markable",
    "thing_of",
]
