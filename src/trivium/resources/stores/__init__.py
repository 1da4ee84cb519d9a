"""Stores of models: what ZStack calls model centres."""

from trivium.resources.stores.table import CAPACITIES, SEEN, STORES, store_of, stores
from trivium.resources.stores.types import Capacity, ModelStore, ModelStoreChange, NewModelStore, StoreState

__all__ = [
    "CAPACITIES",
    "SEEN",
    "STORES",
    "Capacity",
    "ModelStore",
    "ModelStoreChange",
    "NewModelStore",
    "StoreState",
    "store_of",
    "stores",
]
