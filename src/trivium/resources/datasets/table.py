"""The table of datasets, what may be asked of it, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Row, Table, false

from trivium.resources import marks, owning, stores
from trivium.resources.datasets.types import Dataset, DatasetType, SampleCounts
from trivium.resources.owning import EVERYBODY, Listing
from trivium.store import Relation, metadata
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import nulls_first_index

COUNTS: Final = tuple(f"samples_{name}" for name in SampleCounts.__struct_fields__)

datasets = Table(
    "datasets",
    metadata,
    *owning.owned(),
    *owning.folded("name", nullable=False),
    *owning.folded("description"),
    *owning.folded("url", nullable=False),
    *owning.folded("install_path"),
    Column("store_uuid", Uuid16, nullable=False),
    Column("size", BigInteger),  # bytes
    Column("system", Boolean, nullable=False),
    Column("type", Integer, nullable=False, server_default="900"),
    # No foreign keys: SQLite gives none to a table that is there. 0 is the default workspace.
    Column("owner_id", BigInteger),
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    Column("work_path", text()),
    Column("settings", text()),  # JSON
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in COUNTS),
    Column("versions", Integer, nullable=False, server_default="0"),
    Column("current_version_id", BigInteger),
    Column("publishing", Boolean, nullable=False, server_default=false()),
    Column("samples_changed_at", Instant),
    *owning.times(),
    Index(None, "name_folded", "id"),
    Index(None, "store_uuid", "id"),
    nulls_first_index("size", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "changed_at", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
    Index(None, "project_id", "id"),
    Index(None, "project_id", "name", "id"),
)

DATASETS: Final = f.Resource(
    "datasets",
    datasets,
    (
        f.Field("id", f.integer, datasets.c.id),
        f.Field("uuid", f.uuid, datasets.c.uuid),
        f.Field("store_uuid", f.uuid, datasets.c.store_uuid),
        f.Field("size", f.integer, datasets.c.size),
        f.Field("system", f.boolean, datasets.c.system),
        f.Field("created_at", f.second, datasets.c.created_at),
        f.Field("changed_at", f.second, datasets.c.changed_at),
        *owning.texts(datasets, ("name", "description", "url", "install_path")),
    ),
    relations=(
        Relation("store", lambda: stores.STORES, datasets.c.store_uuid, stores.stores.c.uuid),
        *marks.relations(datasets.c.uuid),
    ),
    columns=owning.shown(datasets),
    conditions_lead=True,
    audience=datasets.c.audience,
)

stores.STORES.relate(Relation("datasets", lambda: DATASETS, stores.stores.c.uuid, datasets.c.store_uuid))


def dataset_of(row: Row[Any]) -> Dataset:
    """The dataset that a row of `datasets` stands for."""
    return Dataset(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        name=row.name,
        description=row.description,
        url=row.url,
        install_path=row.install_path,
        store=row.store_uuid,
        size=row.size,
        system=row.system,
        type=DatasetType(row.type),
        owner=row.owner_id,
        workspace=row.workspace,
        work_path=row.work_path,
        settings=owning.document_of(row.settings),
        counts=SampleCounts(**{name: getattr(row, f"samples_{name}") for name in SampleCounts.__struct_fields__}),
        versions=row.versions,
        current_version=row.current_version_id,
        publishing=row.publishing,
        samples_changed_at=row.samples_changed_at,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


LISTING: Final = Listing(DATASETS, dataset_of)
