"""Small resources that ZStack's query language is tested on: models, centres, services bound to models, and tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, cast, insert, literal_column

from trivium.base.query import Order
from trivium.base.text import fold
from trivium.dialects.zstack.conditions import Grammar
from trivium.dialects.zstack.inventories import Catalogue, Inventory, Kind, Link, Member
from trivium.store import Field, Relation, Resource, Write, fields
from trivium.store.columns import Instant, Uuid16, text

STATES = {"Connected": "up", "Connecting": "coming", "Disconnected": "down"}
tables = MetaData()


def _id() -> Column[Any]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


centers = Table(
    "depot_centers",
    tables,
    _id(),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False, index=True),
    Column("state", text()),
)

models = Table(
    "depot_models",
    tables,
    _id(),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False),
    Column("note", text()),
    Column("note_folded", text()),
    Column("size", BigInteger),
    Column("latest", Boolean),
    Column("gpus", text()),
    Column("center_uuid", Uuid16),
    Column("created_at", Instant),
    Index("ix_models_name", "name_folded", "id"),
    Index("ix_models_size", "size", "id"),
    Index("ix_models_created", "created_at", "id"),
    Index("ix_models_center", "center_uuid", "id"),
)

refs = Table(
    "depot_refs",
    tables,
    _id(),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("model_uuid", Uuid16, nullable=False, index=True),
    Column("service_uuid", Uuid16, nullable=False, index=True),
    Column("is_default", Boolean, nullable=False),
)

services = Table(
    "depot_services",
    tables,
    _id(),
    Column("uuid", Uuid16, nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("name_folded", text(), nullable=False, index=True),
    Column("center_uuid", Uuid16, index=True),
)

tags = Table(
    "depot_labels",
    tables,
    _id(),
    Column("thing_uuid", Uuid16, nullable=False, index=True),
    Column("tag", text(), nullable=False),
    Column("tag_folded", text(), nullable=False, index=True),
)

TAGS = Resource(
    "tag",
    tags,
    (Field("id", fields.integer, tags.c.id), Field("tag", fields.caseless, tags.c.tag, folded=tags.c.tag_folded)),
)

CENTERS = Resource(
    "center",
    centers,
    (
        Field("id", fields.integer, centers.c.id),
        Field("uuid", fields.uuid, centers.c.uuid),
        Field("name", fields.caseless, centers.c.name, folded=centers.c.name_folded),
        Field("state", fields.enum(STATES.values()), centers.c.state),
    ),
    relations=(
        Relation("models", lambda: MODELS, centers.c.uuid, models.c.center_uuid),
        Relation("tags", lambda: TAGS, centers.c.uuid, tags.c.thing_uuid),
    ),
)

MODELS = Resource(
    "model",
    models,
    (
        Field("id", fields.integer, models.c.id),
        Field("uuid", fields.uuid, models.c.uuid),
        Field("name", fields.caseless, models.c.name, folded=models.c.name_folded),
        Field("note", fields.caseless, models.c.note, folded=models.c.note_folded),
        Field("size", fields.integer, models.c.size),
        Field("latest", fields.boolean, models.c.latest),
        Field("gpus", fields.members, models.c.gpus, folded=models.c.gpus),
        Field("center_uuid", fields.uuid, models.c.center_uuid),
        Field("created_at", fields.second, models.c.created_at),
        Field("sample_size", fields.integer, cast(literal_column("1000"), BigInteger)),
    ),
    relations=(
        Relation("center", lambda: CENTERS, models.c.center_uuid, centers.c.uuid),
        Relation("refs", lambda: REFS, models.c.uuid, refs.c.model_uuid),
        Relation("tags", lambda: TAGS, models.c.uuid, tags.c.thing_uuid),
    ),
    aliases={"services": "refs.service"},
    conditions_lead=True,
)

REFS = Resource(
    "ref",
    refs,
    (
        Field("id", fields.integer, refs.c.id),
        Field("uuid", fields.uuid, refs.c.uuid),
        Field("model_uuid", fields.uuid, refs.c.model_uuid),
        Field("service_uuid", fields.uuid, refs.c.service_uuid),
        Field("is_default", fields.boolean, refs.c.is_default),
    ),
    relations=(
        Relation("model", lambda: MODELS, refs.c.model_uuid, models.c.uuid),
        Relation("service", lambda: SERVICES, refs.c.service_uuid, services.c.uuid),
    ),
)

SERVICES = Resource(
    "service",
    services,
    (
        Field("id", fields.integer, services.c.id),
        Field("uuid", fields.uuid, services.c.uuid),
        Field("name", fields.caseless, services.c.name, folded=services.c.name_folded),
        Field("center_uuid", fields.uuid, services.c.center_uuid),
    ),
    relations=(
        Relation("center", lambda: CENTERS, services.c.center_uuid, centers.c.uuid),
        Relation("refs", lambda: REFS, services.c.uuid, refs.c.service_uuid),
    ),
)

CATALOGUE = Catalogue(
    (
        Inventory(
            "Model",
            (
                Member(name="uuid", kind=Kind.UUID, field="uuid"),
                Member(name="name", kind=Kind.STRING, field="name"),
                Member(name="description", kind=Kind.STRING, field="note"),
                Member(name="size", kind=Kind.LONG, field="size"),
                Member(name="isLatestVersion", kind=Kind.BOOLEAN, field="latest"),
                Member(name="recommendedGpuNum", kind=Kind.LIST, field="gpus"),
                Member(name="modelCenterUuid", kind=Kind.UUID, field="center_uuid"),
                Member(name="modelServiceRefs", kind=Kind.OBJECTS),
                Member(name="SAMPLE_SIZE", kind=Kind.INTEGER, field="sample_size"),
                Member(name="createDate", kind=Kind.TIMESTAMP, field="created_at"),
            ),
            links=(
                Link(name="modelCenter", to="ModelCenter", path="center"),
                Link(name="modelServiceRefs", to="ModelServiceRef", path="refs"),
                Link(name="modelService", to="ModelService", path="refs.service"),
            ),
            tags={"__userTag__": "tags.tag", "__systemTag__": "tags.tag"},
            order=(Order(field="created_at"), Order(field="uuid")),
        ),
        Inventory(
            "ModelCenter",
            (
                Member(name="uuid", kind=Kind.UUID, field="uuid"),
                Member(name="name", kind=Kind.STRING, field="name"),
                Member(name="status", kind=Kind.WORD, field="state", words=STATES, sortable=False),
            ),
            links=(Link(name="model", to="Model", path="models"),),
            tags={"__userTag__": "tags.tag"},
        ),
        Inventory(
            "ModelServiceRef",
            (
                Member(name="uuid", kind=Kind.UUID, field="uuid"),
                Member(name="modelUuid", kind=Kind.UUID, field="model_uuid"),
                Member(name="modelServiceUuid", kind=Kind.UUID, field="service_uuid"),
                Member(name="isDefault", kind=Kind.BOOLEAN, field="is_default"),
            ),
            links=(
                Link(name="model", to="Model", path="model"),
                Link(name="modelService", to="ModelService", path="service"),
            ),
        ),
        Inventory(
            "ModelService",
            (
                Member(name="uuid", kind=Kind.UUID, field="uuid"),
                Member(name="name", kind=Kind.STRING, field="name"),
                Member(name="modelCenterUuid", kind=Kind.UUID, field="center_uuid"),
            ),
            links=(
                Link(name="modelCenter", to="ModelCenter", path="center"),
                Link(name="modelServiceRefs", to="ModelServiceRef", path="refs"),
                Link(name="model", to="Model", path="refs.model"),
            ),
        ),
    )
)
GRAMMAR = Grammar(catalogue=CATALOGUE, utc_offset=timedelta(hours=8))
MODEL = CATALOGUE.of("Model")

FOLDED = {models: ("name", "note"), centers: ("name",), services: ("name",), tags: ("tag",)}
World = Mapping[str, list[dict[str, Any]]]


def make(tx: Write) -> None:
    """Make the tables."""
    tables.create_all(tx.connection)


def fill(tx: Write, world: Mapping[str, Iterable[dict[str, Any]]]) -> None:
    """Add rows, by the names of the tables; what is folded is added to them."""
    for name, rows in world.items():
        table = tables.tables[f"depot_{name}"]
        for row in rows:
            folded = {f"{key}_folded": row[key] and fold(row[key]) for key in FOLDED.get(table, ())}
            tx.run(insert(table).values(**row, **folded))
