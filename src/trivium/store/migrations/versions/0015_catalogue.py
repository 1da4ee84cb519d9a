"""The catalogue of models: stores, models with their imports, datasets, services, groups, and marks on all of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
instant = sa.BigInteger()  # microseconds since 1970
uuid = sa.LargeBinary(16)
WAITING = sa.text("finished_at IS NULL")
DEFAULT = sa.text("is_default")
NULLS_FIRST = "NULLS FIRST"
"""What stands behind a column of an index of PostgreSQL's."""


def upgrade() -> None:
    """Make the tables."""
    _stores()
    _models()
    _imports()
    _datasets()
    _services()
    _service_images()
    _service_refs()
    _service_groups()
    _service_instances()
    _service_datasets()
    _marks()


def _table(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        *columns,
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{name}_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("uuid", name=f"uq_{name}_uuid"),
    )


def _folded(name: str, *, nullable: bool = True) -> tuple[sa.Column[Any], sa.Column[Any]]:
    return sa.Column(name, text, nullable=nullable), sa.Column(f"{name}_folded", text, nullable=nullable)


def _index(table: str, *columns: str, nulls_first: str = "") -> None:
    name = f"ix_{table}_{'_'.join(columns)}"
    told = {nulls_first: NULLS_FIRST} if nulls_first else {}
    op.create_index(name, table, [*columns], unique=False, postgresql_ops=told)


def _stores() -> None:
    _table(
        "stores",
        *_folded("name", nullable=False),
        *_folded("description"),
        *_folded("url", nullable=False),
        sa.Column("host", text, nullable=True),
        sa.Column("path", text, nullable=False),
        sa.Column("state", text, nullable=False),
        *_folded("parameters"),
        *_folded("management_ip"),
        sa.Column("management_port", sa.Integer(), nullable=True),
        sa.Column("storage_network_uuid", uuid, nullable=True),
        sa.Column("service_network_uuid", uuid, nullable=True),
        *_folded("container_registry"),
        *_folded("container_network"),
        *_folded("container_storage_network"),
        sa.Column("zone_uuid", uuid, nullable=True),
        sa.Column("models_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("services_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("datasets_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fine_tunes_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evaluations_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("temporary_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_used", sa.BigInteger(), server_default="0", nullable=False),
    )
    _index("stores", "audience", "created_at", "uuid", "id")
    _index("stores", "changed_at", "id")
    _index("stores", "created_at", "uuid", "id")
    _index("stores", "name_folded", "id")
    _index("stores", "state", "id")


def _models() -> None:
    _table(
        "models",
        sa.Column("store_uuid", uuid, nullable=False),
        *_folded("name", nullable=False),
        *_folded("description"),
        *_folded("install_path", nullable=False),
        sa.Column("path", text, nullable=False),
        *_folded("parameters"),
        sa.Column("logo", text, nullable=True),
        *_folded("vendor"),
        *_folded("model_id", nullable=False),
        *_folded("introduction"),
        sa.Column("size", sa.BigInteger(), nullable=True),
        *_folded("version"),
        *_folded("version_semver"),
        sa.Column("version_key", text, nullable=False),
        sa.Column("is_latest", sa.Boolean(), nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("min_gpu_memory", sa.BigInteger(), nullable=True),
        sa.Column("recommended_gpu_memory", sa.BigInteger(), nullable=True),
        sa.Column("recommended_gpu_num", text, nullable=True),
        *_folded("gpu_constraint"),
        sa.Column("extra_gpu_memory", sa.BigInteger(), nullable=False),
        sa.Column("checksum", text, nullable=True),
        sa.Column("artifact_size", sa.BigInteger(), nullable=True),
        *_folded("architecture"),
        *_folded("framework_version"),
        *_folded("required_accelerator"),
        *_folded("pipeline_tag"),
        sa.Column("said", text, nullable=False),
        sa.Column("facts", text, nullable=True),
    )
    _index("models", "architecture_folded", "id", nulls_first="architecture_folded")
    _index("models", "audience", "created_at", "uuid", "id")
    _index("models", "audience", "name_folded", "id")
    _index("models", "audience", "size", "id", nulls_first="size")
    _index("models", "changed_at", "id")
    _index("models", "created_at", "uuid", "id")
    _index("models", "model_id_folded", "id")
    _index("models", "name_folded", "id")
    _index("models", "pipeline_tag_folded", "id", nulls_first="pipeline_tag_folded")
    _index("models", "size", "id", nulls_first="size")
    _index("models", "store_uuid", "id")
    _index("models", "type", "id")
    _index("models", "vendor_folded", "id", nulls_first="vendor_folded")
    _index("models", "version_semver_folded", "id", nulls_first="version_semver_folded")
    op.create_index(
        "ix_models_versions", "models", ["project_id", "store_uuid", "name", "version_key", "id"], unique=False
    )


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=True),
        sa.Column("host", text, nullable=False),
        sa.Column("path", text, nullable=False),
        sa.Column("progress", text, nullable=True),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_imports_model_id_models"),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    _index("imports", "model_id")
    op.create_index(
        "ix_imports_waiting", "imports", ["host", "id"], unique=False, sqlite_where=WAITING, postgresql_where=WAITING
    )


def _datasets() -> None:
    _table(
        "datasets",
        *_folded("name", nullable=False),
        *_folded("description"),
        *_folded("url", nullable=False),
        *_folded("install_path"),
        sa.Column("store_uuid", uuid, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("system", sa.Boolean(), nullable=False),
    )
    _index("datasets", "audience", "created_at", "uuid", "id")
    _index("datasets", "changed_at", "id")
    _index("datasets", "created_at", "uuid", "id")
    _index("datasets", "name_folded", "id")
    _index("datasets", "size", "id", nulls_first="size")
    _index("datasets", "store_uuid", "id")


def _services() -> None:
    _table(
        "services",
        sa.Column("store_uuid", uuid, nullable=False),
        *_folded("name", nullable=False),
        *_folded("description"),
        *_folded("readme"),
        *_folded("yaml", nullable=False),
        sa.Column("request_cpu", sa.Integer(), nullable=False),
        sa.Column("request_memory", sa.BigInteger(), nullable=False),
        sa.Column("type", text, nullable=False),
        *_folded("framework"),
        sa.Column("source", text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("system", sa.Boolean(), nullable=False),
        *_folded("gpu_compute_capability"),
        *_folded("install_path", nullable=False),
        *_folded("python_version"),
        *_folded("conda_version"),
        *_folded("start_command", nullable=False),
        *_folded("container_command"),
        *_folded("container_args"),
        sa.Column("distributed", sa.Boolean(), nullable=False),
        sa.Column("architectures", text, nullable=True),
        *_folded("vendor_specs"),
        sa.Column("settings", text, nullable=True),
        sa.Column("zone_uuid", uuid, nullable=True),
    )
    _index("services", "audience", "created_at", "uuid", "id")
    _index("services", "changed_at", "id")
    _index("services", "created_at", "uuid", "id")
    _index("services", "framework_folded", "id", nulls_first="framework_folded")
    _index("services", "name_folded", "id")
    _index("services", "size", "id", nulls_first="size")
    _index("services", "store_uuid", "id")
    _index("services", "type", "id")


def _service_images() -> None:
    _table(
        "service_images",
        sa.Column("service_uuid", uuid, nullable=False),
        sa.Column("architecture", text, nullable=False),
        sa.Column("vm_image_uuid", uuid, nullable=True),
        *_folded("docker_image"),
        *_folded("gpu_vendor"),
    )
    _index("service_images", "audience", "created_at", "uuid", "id")
    _index("service_images", "created_at", "uuid", "id")
    _index("service_images", "docker_image_folded", "id", nulls_first="docker_image_folded")
    _index("service_images", "service_uuid", "id")
    _index("service_images", "vm_image_uuid", "id")


def _service_refs() -> None:
    _table(
        "service_refs",
        sa.Column("model_uuid", uuid, nullable=False),
        sa.Column("service_uuid", uuid, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
    )
    _index("service_refs", "audience", "created_at", "uuid", "id")
    _index("service_refs", "created_at", "uuid", "id")
    _index("service_refs", "service_uuid", "model_uuid")
    op.create_index("uq_service_refs_bound", "service_refs", ["model_uuid", "service_uuid"], unique=True)
    op.create_index(
        "uq_service_refs_default",
        "service_refs",
        ["model_uuid"],
        unique=True,
        sqlite_where=DEFAULT,
        postgresql_where=DEFAULT,
    )


def _service_groups() -> None:
    _table(
        "service_groups",
        *_folded("name", nullable=False),
        *_folded("description"),
        sa.Column("service_uuid", uuid, nullable=True),
        sa.Column("model_uuid", uuid, nullable=True),
        sa.Column("status", text, nullable=False),
        sa.Column("service_type", text, nullable=True),
        sa.Column("type", text, nullable=True),
        *_folded("yaml"),
        sa.Column("support_metrics", text, nullable=True),
        *_folded("export_path"),
        sa.Column("settings", text, nullable=True),
    )
    _index("service_groups", "audience", "created_at", "uuid", "id")
    _index("service_groups", "changed_at", "id")
    _index("service_groups", "created_at", "uuid", "id")
    _index("service_groups", "model_uuid", "id", nulls_first="model_uuid")
    _index("service_groups", "name_folded", "id")
    _index("service_groups", "service_uuid", "id", nulls_first="service_uuid")
    _index("service_groups", "status", "id")


def _service_instances() -> None:
    _table(
        "service_instances",
        sa.Column("group_uuid", uuid, nullable=False),
        *_folded("name"),
        *_folded("yaml"),
        *_folded("k8s_yaml"),
        sa.Column("status", text, nullable=False),
        *_folded("url"),
        *_folded("url_maps"),
        *_folded("internal_url"),
        *_folded("jupyter_url"),
        sa.Column("vm_instance_uuid", uuid, nullable=True),
        sa.Column("node_rank", sa.Integer(), nullable=True),
        sa.Column("cluster_id", sa.BigInteger(), nullable=True),
        *_folded("namespace"),
        sa.Column("account_uuid", uuid, nullable=True),
        *_folded("vm"),
    )
    _index("service_instances", "audience", "created_at", "uuid", "id")
    _index("service_instances", "created_at", "uuid", "id")
    _index("service_instances", "group_uuid", "id")
    _index("service_instances", "name_folded", "id", nulls_first="name_folded")
    _index("service_instances", "status", "id")
    _index("service_instances", "vm_instance_uuid", "id")


def _service_datasets() -> None:
    _table(
        "service_datasets",
        sa.Column("group_uuid", uuid, nullable=False),
        sa.Column("dataset_uuid", uuid, nullable=False),
    )
    _index("service_datasets", "audience", "created_at", "uuid", "id")
    _index("service_datasets", "created_at", "uuid", "id")
    _index("service_datasets", "dataset_uuid", "group_uuid")
    op.create_index("uq_service_datasets_bound", "service_datasets", ["group_uuid", "dataset_uuid"], unique=True)


def _marks() -> None:
    _table(
        "marks",
        sa.Column("type", text, nullable=False),
        sa.Column("thing_uuid", uuid, nullable=False),
        sa.Column("kind", text, nullable=False),
        *_folded("tag", nullable=False),
        sa.Column("pattern_uuid", uuid, nullable=True),
    )
    _index("marks", "audience", "created_at", "uuid", "id")
    _index("marks", "created_at", "uuid", "id")
    _index("marks", "pattern_uuid", "id")
    _index("marks", "tag_folded", "type", "id")
    op.create_index("uq_marks_of_thing", "marks", ["thing_uuid", "type", "tag"], unique=True)
