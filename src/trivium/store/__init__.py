"""The store: databases, transactions, the query engine and migrations. The only room that speaks SQL's dialects."""

from trivium.store.database import Flavour
from trivium.store.errors import Busy, NewerDatabase, StoreUnavailable, TooSlow
from trivium.store.schema import metadata
from trivium.store.store import Store
from trivium.store.transactions import Read, Write

__all__ = ["Busy", "Flavour", "NewerDatabase", "Read", "Store", "StoreUnavailable", "TooSlow", "Write", "metadata"]
