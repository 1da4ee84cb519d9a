"""The store: databases, transactions, the query engine and migrations. The only room that speaks SQL's dialects."""

from trivium.store import fields, query
from trivium.store.bulk import add_rows
from trivium.store.database import Flavour
from trivium.store.errors import (
    BadOperator,
    BadValue,
    Busy,
    NewerDatabase,
    StoreUnavailable,
    TooSlow,
    UnknownField,
    UnknownRelation,
)
from trivium.store.fields import Field, Relation, Resource
from trivium.store.schema import metadata
from trivium.store.statements import Prepared, Row
from trivium.store.store import Store
from trivium.store.transactions import Read, Write

__all__ = [
    "BadOperator",
    "BadValue",
    "Busy",
    "Field",
    "Flavour",
    "NewerDatabase",
    "Prepared",
    "Read",
    "Relation",
    "Resource",
    "Row",
    "Store",
    "StoreUnavailable",
    "TooSlow",
    "UnknownField",
    "UnknownRelation",
    "Write",
    "add_rows",
    "fields",
    "metadata",
    "query",
]
