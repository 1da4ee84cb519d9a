"""The tables of models and of their imports, what may be asked of models, and the way between row and value."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Row, Table, cast, func, literal_column
from sqlalchemy import text as sql

from trivium.base.reasons import Reason
from trivium.resources import marks, owning, stores
from trivium.resources.models.types import Import, Model, ModelKind, ModelStatus, ModelType, Progress
from trivium.resources.owning import EVERYBODY, Listing
from trivium.store import Relation, metadata
from trivium.store import fields as f
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.schema import nulls_first_index, partial_index

SAMPLE_SIZE: Final = 1000
TEXTS: Final = (
    *("name", "description", "install_path", "parameters", "vendor", "model_id", "introduction", "version"),
    *("gpu_constraint", "version_semver", "architecture", "framework_version", "required_accelerator", "pipeline_tag"),
)

models = Table(
    "models",
    metadata,
    *owning.owned(),
    Column("store_uuid", Uuid16, nullable=False),
    *owning.folded("name", nullable=False),
    *owning.folded("description"),
    *owning.folded("install_path", nullable=False),
    Column("path", text(), nullable=False),
    *owning.folded("parameters"),
    Column("logo", text()),  # base64
    *owning.folded("vendor"),
    *owning.folded("model_id", nullable=False),
    *owning.folded("introduction"),
    Column("size", BigInteger),
    *owning.folded("version"),
    *owning.folded("version_semver"),
    # Sorts as semantic versions do; empty, which is before them, for what is none.
    Column("version_key", text(), nullable=False),
    Column("is_latest", Boolean, nullable=False),
    Column("type", text(), nullable=False),
    Column("status", text(), nullable=False),
    Column("min_gpu_memory", BigInteger),
    Column("recommended_gpu_memory", BigInteger),
    Column("recommended_gpu_num", text()),  # 1,2,4
    *owning.folded("gpu_constraint"),
    Column("extra_gpu_memory", BigInteger, nullable=False),
    Column("checksum", text()),
    Column("artifact_size", BigInteger),
    *owning.folded("architecture"),
    *owning.folded("framework_version"),
    *owning.folded("required_accelerator"),
    *owning.folded("pipeline_tag"),
    Column("said", text(), nullable=False),  # JSON: the columns that callers set
    Column("facts", text()),  # JSON: what the files say; null until they were read
    # No foreign keys: SQLite gives none to a table that is there. 0 is the default workspace.
    Column("owner_id", BigInteger),
    Column("workspace", BigInteger, nullable=False, server_default="0"),
    Column("kind", text(), nullable=False, server_default=sql("'custom'")),
    Column("reason", text()),  # JSON: why it failed
    Column("settings", text()),  # JSON
    *owning.times(),
    Index(None, "name_folded", "id"),
    Index(None, "store_uuid", "id"),
    Index(None, "model_id_folded", "id"),
    Index(None, "type", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "changed_at", "id"),
    nulls_first_index("size", "id"),
    nulls_first_index("vendor_folded", "id"),
    nulls_first_index("version_semver_folded", "id"),
    nulls_first_index("architecture_folded", "id"),
    nulls_first_index("pipeline_tag_folded", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
    Index(None, "audience", "name_folded", "id"),
    nulls_first_index("audience", "size", "id"),
    Index("ix_models_versions", "project_id", "store_uuid", "name", "version_key", "id"),
    Index(None, "project_id", "id"),
    Index(None, "project_id", "name", "version_key", "id"),
    Index(None, "project_id", "version_key", "id"),
    nulls_first_index("project_id", "size", "id"),
    partial_index("ix_models_elsewhere", "workspace", where=sql("workspace <> 0")),
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("model_id", BigInteger, ForeignKey("models.id"), nullable=False, index=True),
    Column("operation_id", BigInteger),
    Column("host", text(), nullable=False),
    Column("path", text(), nullable=False),
    Column("progress", text()),  # JSON; null until something was noted, and once it is finished
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    partial_index("ix_imports_waiting", "host", "id", where=sql("finished_at IS NULL")),
)

MODELS: Final = f.Resource(
    "models",
    models,
    (
        f.Field("id", f.integer, models.c.id),
        f.Field("uuid", f.uuid, models.c.uuid),
        f.Field("store_uuid", f.uuid, models.c.store_uuid),
        f.Field("type", f.enum(ModelType), models.c.type),
        f.Field("status", f.enum(ModelStatus), models.c.status),
        f.Field("is_latest", f.boolean, models.c.is_latest),
        f.Field("size", f.integer, models.c.size),
        f.Field("artifact_size", f.integer, models.c.artifact_size),
        f.Field("min_gpu_memory", f.integer, models.c.min_gpu_memory),
        f.Field("recommended_gpu_memory", f.integer, models.c.recommended_gpu_memory),
        f.Field("recommended_gpu_num", f.members, models.c.recommended_gpu_num, folded=models.c.recommended_gpu_num),
        f.Field("extra_gpu_memory", f.integer, models.c.extra_gpu_memory),
        f.Field("checksum", f.caseless, models.c.checksum, folded=models.c.checksum),  # never has capitals
        f.Field("logo", f.caseless, models.c.logo, folded=func.lower(models.c.logo)),
        f.Field("sample_size", f.integer, cast(literal_column(str(SAMPLE_SIZE)), BigInteger)),
        f.Field("created_at", f.second, models.c.created_at),
        f.Field("changed_at", f.second, models.c.changed_at),
        *owning.texts(models, TEXTS),
    ),
    relations=(
        Relation("store", lambda: stores.STORES, models.c.store_uuid, stores.stores.c.uuid),
        *marks.relations(models.c.uuid),
    ),
    columns=owning.shown(models),
    conditions_lead=True,
    audience=models.c.audience,
)

stores.STORES.relate(Relation("models", lambda: MODELS, stores.stores.c.uuid, models.c.store_uuid))


def model_of(row: Row[Any]) -> Model:
    """The model that a row of `models` stands for."""
    return Model(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        owner=row.owner_id,
        workspace=row.workspace,
        store=row.store_uuid,
        name=row.name,
        description=row.description,
        install_path=row.install_path,
        path=row.path,
        parameters=row.parameters,
        logo=row.logo,
        vendor=row.vendor,
        model_id=row.model_id,
        introduction=row.introduction,
        size=row.size,
        version=row.version,
        version_semver=row.version_semver,
        is_latest=row.is_latest,
        type=ModelType(row.type),
        kind=ModelKind(row.kind),
        status=ModelStatus(row.status),
        reason=None if row.reason is None else msgspec.json.decode(row.reason, type=Reason),
        min_gpu_memory=row.min_gpu_memory,
        recommended_gpu_memory=row.recommended_gpu_memory,
        recommended_gpu_num=numbers_of(row.recommended_gpu_num),
        gpu_constraint=row.gpu_constraint,
        extra_gpu_memory=row.extra_gpu_memory,
        checksum=row.checksum,
        artifact_size=row.artifact_size,
        architecture=row.architecture,
        framework_version=row.framework_version,
        required_accelerator=row.required_accelerator,
        pipeline_tag=row.pipeline_tag,
        said=frozenset(msgspec.json.decode(row.said, type=list[str])),
        settings=owning.document_of(row.settings),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def import_of(row: Row[Any]) -> Import:
    """The import that a row of `imports` with the uuid of its model stands for."""
    return Import(
        id=row.id,
        model=row.model_id,
        model_uuid=row.model_uuid,
        kind=ModelKind(row.kind),
        project=row.project_id,
        operation=row.operation_id,
        host=row.host,
        path=row.path,
        progress=None if row.progress is None else msgspec.json.decode(row.progress, type=Progress),
        faults=row.faults,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def numbers_of(kept: str | None) -> tuple[int, ...]:
    """The numbers of a list that is kept as text; none for null."""
    return () if kept is None else tuple(int(number) for number in kept.split(","))


def kept_numbers(numbers: tuple[int, ...]) -> str | None:
    """The numbers as such a text; null for none."""
    return ",".join(map(str, numbers)) or None


LISTING: Final = Listing(MODELS, model_of)
