"""The table of stores, what may be asked of it, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table

from trivium.resources import marks, owning
from trivium.resources.owning import EVERYBODY, Listing
from trivium.resources.stores.types import Capacity, ModelStore, StoreState
from trivium.store import Relation, metadata
from trivium.store import fields as f
from trivium.store.columns import Uuid16, text

USED: Final = (
    *("models_used", "services_used", "datasets_used"),
    *("fine_tunes_used", "evaluations_used", "temporary_used", "cache_used"),
)
TEXTS: Final = (
    *("name", "description", "url", "parameters", "management_ip"),
    *("container_registry", "container_network", "container_storage_network"),
)

stores = Table(
    "stores",
    metadata,
    *owning.owned(),
    *owning.folded("name", nullable=False),
    *owning.folded("description"),
    *owning.folded("url", nullable=False),
    Column("host", text()),
    Column("path", text(), nullable=False),
    Column("state", text(), nullable=False),
    *owning.folded("parameters"),
    *owning.folded("management_ip"),
    Column("management_port", Integer),
    Column("storage_network_uuid", Uuid16),
    Column("service_network_uuid", Uuid16),
    *owning.folded("container_registry"),
    *owning.folded("container_network"),
    *owning.folded("container_storage_network"),
    Column("zone_uuid", Uuid16),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in USED),  # bytes
    *owning.times(),
    Index(None, "name_folded", "id"),
    Index(None, "state", "id"),
    Index(None, "path", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "changed_at", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

CAPACITIES: Final = f.Resource(
    "capacities",
    stores,
    (
        f.Field("id", f.integer, stores.c.id),
        f.Field("uuid", f.uuid, stores.c.uuid),
        *(f.Field(name, f.integer, stores.c[name]) for name in USED),
    ),
    columns=owning.shown(stores),
    conditions_lead=True,
    audience=stores.c.audience,
)
"""The same table, as what is in use of each store: it has the store's uuid."""

STORES: Final = f.Resource(
    "stores",
    stores,
    (
        f.Field("id", f.integer, stores.c.id),
        f.Field("uuid", f.uuid, stores.c.uuid),
        f.Field("state", f.enum(StoreState), stores.c.state),
        f.Field("management_port", f.integer, stores.c.management_port),
        f.Field("storage_network_uuid", f.uuid, stores.c.storage_network_uuid),
        f.Field("service_network_uuid", f.uuid, stores.c.service_network_uuid),
        f.Field("zone_uuid", f.uuid, stores.c.zone_uuid),
        f.Field("created_at", f.second, stores.c.created_at),
        f.Field("changed_at", f.second, stores.c.changed_at),
        *owning.texts(stores, TEXTS),
    ),
    relations=(
        Relation("capacity", lambda: CAPACITIES, stores.c.uuid, stores.c.uuid),
        *marks.relations(stores.c.uuid),
    ),
    columns=owning.shown(stores),
    conditions_lead=True,
    audience=stores.c.audience,
)


def store_of(row: Row[Any]) -> ModelStore:
    """The store that a row of `stores` stands for."""
    return ModelStore(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        name=row.name,
        description=row.description,
        url=row.url,
        host=row.host,
        path=row.path,
        state=StoreState(row.state),
        parameters=row.parameters,
        management_ip=row.management_ip,
        management_port=row.management_port,
        storage_network=row.storage_network_uuid,
        service_network=row.service_network_uuid,
        container_registry=row.container_registry,
        container_network=row.container_network,
        container_storage_network=row.container_storage_network,
        zone=row.zone_uuid,
        capacity=Capacity(
            models=row.models_used,
            services=row.services_used,
            datasets=row.datasets_used,
            fine_tunes=row.fine_tunes_used,
            evaluations=row.evaluations_used,
            temporary=row.temporary_used,
            cache=row.cache_used,
        ),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


LISTING: Final = Listing(STORES, store_of)
