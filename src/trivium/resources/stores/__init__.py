"""Stores of models: what ZStack calls model centres."""

from trivium.resources.stores.errors import ModelStoreInUse, NoSuchModelStore, NotInStores
from trivium.resources.stores.finding import check_open, check_seen, containing, directory_of, sight_of
from trivium.resources.stores.places import Spot, is_within, path_within, spot_of
from trivium.resources.stores.service import (
    change,
    charge,
    create,
    delete,
    ensure,
    everywhere,
    get,
    locked,
    markable,
    note_state,
    thing_of,
)
from trivium.resources.stores.table import CAPACITIES, LISTING, STORES, stores
from trivium.resources.stores.types import (
    EVERYTHING,
    Capacity,
    ModelStore,
    ModelStoreChange,
    NewModelStore,
    Sight,
    StoreState,
)
from trivium.resources.stores.watching import is_any_new, without_store

__all__ = [
    "CAPACITIES",
    "EVERYTHING",
    "LISTING",
    "STORES",
    "Capacity",
    "ModelStore",
    "ModelStoreChange",
    "ModelStoreInUse",
    "NewModelStore",
    "NoSuchModelStore",
    "NotInStores",
    "Sight",
    "Spot",
    "StoreState",
    "change",
    "charge",
    "check_open",
    "check_seen",
    "containing",
    "create",
    "delete",
    "directory_of",
    "ensure",
    "everywhere",
    "get",
    "is_any_new",
    "is_within",
    "locked",
    "markable",
    "note_state",
    "path_within",
    "sight_of",
    "spot_of",
    "stores",
    "thing_of",
    "without_store",
]
