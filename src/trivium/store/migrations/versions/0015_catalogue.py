"""The catalogue of models: stores, models with their imports, datasets, services, groups, and marks on all of them."""

from __future__ import annotations

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
    _datasets()
    _marks()
    _models()
    _service_datasets()
    _service_groups()
    _service_images()
    _service_instances()
    _service_refs()
    _services()
    _stores()
    _imports()


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("description_folded", text, nullable=True),
        sa.Column("url", text, nullable=False),
        sa.Column("url_folded", text, nullable=False),
        sa.Column("install_path", text, nullable=True),
        sa.Column("install_path_folded", text, nullable=True),
        sa.Column("store_uuid", uuid, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("system", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_datasets_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("uuid", name="uq_datasets_uuid"),
    )
    op.create_index(
        "ix_datasets_audience_created_at_uuid_id", "datasets", ["audience", "created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_datasets_changed_at_id", "datasets", ["changed_at", "id"], unique=False)
    op.create_index("ix_datasets_created_at_uuid_id", "datasets", ["created_at", "uuid", "id"], unique=False)
    op.create_index("ix_datasets_name_folded_id", "datasets", ["name_folded", "id"], unique=False)
    op.create_index(
        "ix_datasets_size_id", "datasets", ["size", "id"], unique=False, postgresql_ops={"size": NULLS_FIRST}
    )
    op.create_index("ix_datasets_store_uuid_id", "datasets", ["store_uuid", "id"], unique=False)


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("thing_uuid", uuid, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("tag", text, nullable=False),
        sa.Column("tag_folded", text, nullable=False),
        sa.Column("pattern_uuid", uuid, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_marks_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
        sa.UniqueConstraint("uuid", name="uq_marks_uuid"),
    )
    op.create_index(
        "ix_marks_audience_created_at_uuid_id", "marks", ["audience", "created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_marks_created_at_uuid_id", "marks", ["created_at", "uuid", "id"], unique=False)
    op.create_index("ix_marks_pattern_uuid_id", "marks", ["pattern_uuid", "id"], unique=False)
    op.create_index("ix_marks_tag_folded_type_id", "marks", ["tag_folded", "type", "id"], unique=False)
    op.create_index("uq_marks_of_thing", "marks", ["thing_uuid", "type", "tag"], unique=True)


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("store_uuid", uuid, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("description_folded", text, nullable=True),
        sa.Column("install_path", text, nullable=False),
        sa.Column("install_path_folded", text, nullable=False),
        sa.Column("path", text, nullable=False),
        sa.Column("parameters", text, nullable=True),
        sa.Column("parameters_folded", text, nullable=True),
        sa.Column("logo", text, nullable=True),
        sa.Column("vendor", text, nullable=True),
        sa.Column("vendor_folded", text, nullable=True),
        sa.Column("model_id", text, nullable=False),
        sa.Column("model_id_folded", text, nullable=False),
        sa.Column("introduction", text, nullable=True),
        sa.Column("introduction_folded", text, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("version", text, nullable=True),
        sa.Column("version_folded", text, nullable=True),
        sa.Column("version_semver", text, nullable=True),
        sa.Column("version_semver_folded", text, nullable=True),
        sa.Column("version_key", text, nullable=False),
        sa.Column("is_latest", sa.Boolean(), nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("min_gpu_memory", sa.BigInteger(), nullable=True),
        sa.Column("recommended_gpu_memory", sa.BigInteger(), nullable=True),
        sa.Column("recommended_gpu_num", text, nullable=True),
        sa.Column("gpu_constraint", text, nullable=True),
        sa.Column("gpu_constraint_folded", text, nullable=True),
        sa.Column("extra_gpu_memory", sa.BigInteger(), nullable=False),
        sa.Column("checksum", text, nullable=True),
        sa.Column("artifact_size", sa.BigInteger(), nullable=True),
        sa.Column("architecture", text, nullable=True),
        sa.Column("architecture_folded", text, nullable=True),
        sa.Column("framework_version", text, nullable=True),
        sa.Column("framework_version_folded", text, nullable=True),
        sa.Column("required_accelerator", text, nullable=True),
        sa.Column("required_accelerator_folded", text, nullable=True),
        sa.Column("pipeline_tag", text, nullable=True),
        sa.Column("pipeline_tag_folded", text, nullable=True),
        sa.Column("said", text, nullable=False),
        sa.Column("facts", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_models_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("uuid", name="uq_models_uuid"),
    )
    op.create_index(
        "ix_models_architecture_folded_id",
        "models",
        ["architecture_folded", "id"],
        unique=False,
        postgresql_ops={"architecture_folded": NULLS_FIRST},
    )
    op.create_index(
        "ix_models_audience_created_at_uuid_id", "models", ["audience", "created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_models_audience_name_folded_id", "models", ["audience", "name_folded", "id"], unique=False)
    op.create_index(
        "ix_models_audience_size_id",
        "models",
        ["audience", "size", "id"],
        unique=False,
        postgresql_ops={"size": NULLS_FIRST},
    )
    op.create_index("ix_models_changed_at_id", "models", ["changed_at", "id"], unique=False)
    op.create_index("ix_models_created_at_uuid_id", "models", ["created_at", "uuid", "id"], unique=False)
    op.create_index("ix_models_model_id_folded_id", "models", ["model_id_folded", "id"], unique=False)
    op.create_index("ix_models_name_folded_id", "models", ["name_folded", "id"], unique=False)
    op.create_index(
        "ix_models_pipeline_tag_folded_id",
        "models",
        ["pipeline_tag_folded", "id"],
        unique=False,
        postgresql_ops={"pipeline_tag_folded": NULLS_FIRST},
    )
    op.create_index("ix_models_size_id", "models", ["size", "id"], unique=False, postgresql_ops={"size": NULLS_FIRST})
    op.create_index("ix_models_store_uuid_id", "models", ["store_uuid", "id"], unique=False)
    op.create_index("ix_models_type_id", "models", ["type", "id"], unique=False)
    op.create_index(
        "ix_models_vendor_folded_id",
        "models",
        ["vendor_folded", "id"],
        unique=False,
        postgresql_ops={"vendor_folded": NULLS_FIRST},
    )
    op.create_index(
        "ix_models_version_semver_folded_id",
        "models",
        ["version_semver_folded", "id"],
        unique=False,
        postgresql_ops={"version_semver_folded": NULLS_FIRST},
    )
    op.create_index(
        "ix_models_versions", "models", ["project_id", "store_uuid", "name", "version_key", "id"], unique=False
    )


def _service_datasets() -> None:
    op.create_table(
        "service_datasets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("group_uuid", uuid, nullable=False),
        sa.Column("dataset_uuid", uuid, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_service_datasets_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_service_datasets"),
        sa.UniqueConstraint("uuid", name="uq_service_datasets_uuid"),
    )
    op.create_index(
        "ix_service_datasets_audience_created_at_uuid_id",
        "service_datasets",
        ["audience", "created_at", "uuid", "id"],
        unique=False,
    )
    op.create_index(
        "ix_service_datasets_created_at_uuid_id", "service_datasets", ["created_at", "uuid", "id"], unique=False
    )
    op.create_index(
        "ix_service_datasets_dataset_uuid_group_uuid", "service_datasets", ["dataset_uuid", "group_uuid"], unique=False
    )
    op.create_index("uq_service_datasets_bound", "service_datasets", ["group_uuid", "dataset_uuid"], unique=True)


def _service_groups() -> None:
    op.create_table(
        "service_groups",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("description_folded", text, nullable=True),
        sa.Column("service_uuid", uuid, nullable=True),
        sa.Column("model_uuid", uuid, nullable=True),
        sa.Column("status", text, nullable=False),
        sa.Column("service_type", text, nullable=True),
        sa.Column("type", text, nullable=True),
        sa.Column("yaml", text, nullable=True),
        sa.Column("yaml_folded", text, nullable=True),
        sa.Column("support_metrics", text, nullable=True),
        sa.Column("export_path", text, nullable=True),
        sa.Column("export_path_folded", text, nullable=True),
        sa.Column("settings", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_service_groups_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_service_groups"),
        sa.UniqueConstraint("uuid", name="uq_service_groups_uuid"),
    )
    op.create_index(
        "ix_service_groups_audience_created_at_uuid_id",
        "service_groups",
        ["audience", "created_at", "uuid", "id"],
        unique=False,
    )
    op.create_index("ix_service_groups_changed_at_id", "service_groups", ["changed_at", "id"], unique=False)
    op.create_index(
        "ix_service_groups_created_at_uuid_id", "service_groups", ["created_at", "uuid", "id"], unique=False
    )
    op.create_index(
        "ix_service_groups_model_uuid_id",
        "service_groups",
        ["model_uuid", "id"],
        unique=False,
        postgresql_ops={"model_uuid": NULLS_FIRST},
    )
    op.create_index("ix_service_groups_name_folded_id", "service_groups", ["name_folded", "id"], unique=False)
    op.create_index(
        "ix_service_groups_service_uuid_id",
        "service_groups",
        ["service_uuid", "id"],
        unique=False,
        postgresql_ops={"service_uuid": NULLS_FIRST},
    )
    op.create_index("ix_service_groups_status_id", "service_groups", ["status", "id"], unique=False)


def _service_images() -> None:
    op.create_table(
        "service_images",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("service_uuid", uuid, nullable=False),
        sa.Column("architecture", text, nullable=False),
        sa.Column("vm_image_uuid", uuid, nullable=True),
        sa.Column("docker_image", text, nullable=True),
        sa.Column("docker_image_folded", text, nullable=True),
        sa.Column("gpu_vendor", text, nullable=True),
        sa.Column("gpu_vendor_folded", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_service_images_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_service_images"),
        sa.UniqueConstraint("uuid", name="uq_service_images_uuid"),
    )
    op.create_index(
        "ix_service_images_audience_created_at_uuid_id",
        "service_images",
        ["audience", "created_at", "uuid", "id"],
        unique=False,
    )
    op.create_index(
        "ix_service_images_created_at_uuid_id", "service_images", ["created_at", "uuid", "id"], unique=False
    )
    op.create_index(
        "ix_service_images_docker_image_folded_id",
        "service_images",
        ["docker_image_folded", "id"],
        unique=False,
        postgresql_ops={"docker_image_folded": NULLS_FIRST},
    )
    op.create_index("ix_service_images_service_uuid_id", "service_images", ["service_uuid", "id"], unique=False)
    op.create_index("ix_service_images_vm_image_uuid_id", "service_images", ["vm_image_uuid", "id"], unique=False)


def _service_instances() -> None:
    op.create_table(
        "service_instances",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("group_uuid", uuid, nullable=False),
        sa.Column("name", text, nullable=True),
        sa.Column("name_folded", text, nullable=True),
        sa.Column("yaml", text, nullable=True),
        sa.Column("yaml_folded", text, nullable=True),
        sa.Column("k8s_yaml", text, nullable=True),
        sa.Column("k8s_yaml_folded", text, nullable=True),
        sa.Column("status", text, nullable=False),
        sa.Column("url", text, nullable=True),
        sa.Column("url_folded", text, nullable=True),
        sa.Column("url_maps", text, nullable=True),
        sa.Column("url_maps_folded", text, nullable=True),
        sa.Column("internal_url", text, nullable=True),
        sa.Column("internal_url_folded", text, nullable=True),
        sa.Column("jupyter_url", text, nullable=True),
        sa.Column("jupyter_url_folded", text, nullable=True),
        sa.Column("vm_instance_uuid", uuid, nullable=True),
        sa.Column("node_rank", sa.Integer(), nullable=True),
        sa.Column("cluster_id", sa.BigInteger(), nullable=True),
        sa.Column("namespace", text, nullable=True),
        sa.Column("namespace_folded", text, nullable=True),
        sa.Column("account_uuid", uuid, nullable=True),
        sa.Column("vm", text, nullable=True),
        sa.Column("vm_folded", text, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_service_instances_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_service_instances"),
        sa.UniqueConstraint("uuid", name="uq_service_instances_uuid"),
    )
    op.create_index(
        "ix_service_instances_audience_created_at_uuid_id",
        "service_instances",
        ["audience", "created_at", "uuid", "id"],
        unique=False,
    )
    op.create_index(
        "ix_service_instances_created_at_uuid_id", "service_instances", ["created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_service_instances_group_uuid_id", "service_instances", ["group_uuid", "id"], unique=False)
    op.create_index(
        "ix_service_instances_name_folded_id",
        "service_instances",
        ["name_folded", "id"],
        unique=False,
        postgresql_ops={"name_folded": NULLS_FIRST},
    )
    op.create_index("ix_service_instances_status_id", "service_instances", ["status", "id"], unique=False)
    op.create_index(
        "ix_service_instances_vm_instance_uuid_id", "service_instances", ["vm_instance_uuid", "id"], unique=False
    )


def _service_refs() -> None:
    op.create_table(
        "service_refs",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("model_uuid", uuid, nullable=False),
        sa.Column("service_uuid", uuid, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_service_refs_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_service_refs"),
        sa.UniqueConstraint("uuid", name="uq_service_refs_uuid"),
    )
    op.create_index(
        "ix_service_refs_audience_created_at_uuid_id",
        "service_refs",
        ["audience", "created_at", "uuid", "id"],
        unique=False,
    )
    op.create_index("ix_service_refs_created_at_uuid_id", "service_refs", ["created_at", "uuid", "id"], unique=False)
    op.create_index(
        "ix_service_refs_service_uuid_model_uuid", "service_refs", ["service_uuid", "model_uuid"], unique=False
    )
    op.create_index("uq_service_refs_bound", "service_refs", ["model_uuid", "service_uuid"], unique=True)
    op.create_index(
        "uq_service_refs_default",
        "service_refs",
        ["model_uuid"],
        unique=True,
        sqlite_where=DEFAULT,
        postgresql_where=DEFAULT,
    )


def _services() -> None:
    op.create_table(
        "services",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("store_uuid", uuid, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("description_folded", text, nullable=True),
        sa.Column("readme", text, nullable=True),
        sa.Column("readme_folded", text, nullable=True),
        sa.Column("yaml", text, nullable=False),
        sa.Column("yaml_folded", text, nullable=False),
        sa.Column("request_cpu", sa.Integer(), nullable=False),
        sa.Column("request_memory", sa.BigInteger(), nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("framework", text, nullable=True),
        sa.Column("framework_folded", text, nullable=True),
        sa.Column("source", text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("system", sa.Boolean(), nullable=False),
        sa.Column("gpu_compute_capability", text, nullable=True),
        sa.Column("gpu_compute_capability_folded", text, nullable=True),
        sa.Column("install_path", text, nullable=False),
        sa.Column("install_path_folded", text, nullable=False),
        sa.Column("python_version", text, nullable=True),
        sa.Column("python_version_folded", text, nullable=True),
        sa.Column("conda_version", text, nullable=True),
        sa.Column("conda_version_folded", text, nullable=True),
        sa.Column("start_command", text, nullable=False),
        sa.Column("start_command_folded", text, nullable=False),
        sa.Column("container_command", text, nullable=True),
        sa.Column("container_command_folded", text, nullable=True),
        sa.Column("container_args", text, nullable=True),
        sa.Column("container_args_folded", text, nullable=True),
        sa.Column("distributed", sa.Boolean(), nullable=False),
        sa.Column("architectures", text, nullable=True),
        sa.Column("vendor_specs", text, nullable=True),
        sa.Column("vendor_specs_folded", text, nullable=True),
        sa.Column("settings", text, nullable=True),
        sa.Column("zone_uuid", uuid, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_services_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
        sa.UniqueConstraint("uuid", name="uq_services_uuid"),
    )
    op.create_index(
        "ix_services_audience_created_at_uuid_id", "services", ["audience", "created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_services_changed_at_id", "services", ["changed_at", "id"], unique=False)
    op.create_index("ix_services_created_at_uuid_id", "services", ["created_at", "uuid", "id"], unique=False)
    op.create_index(
        "ix_services_framework_folded_id",
        "services",
        ["framework_folded", "id"],
        unique=False,
        postgresql_ops={"framework_folded": NULLS_FIRST},
    )
    op.create_index("ix_services_name_folded_id", "services", ["name_folded", "id"], unique=False)
    op.create_index(
        "ix_services_size_id", "services", ["size", "id"], unique=False, postgresql_ops={"size": NULLS_FIRST}
    )
    op.create_index("ix_services_store_uuid_id", "services", ["store_uuid", "id"], unique=False)
    op.create_index("ix_services_type_id", "services", ["type", "id"], unique=False)


def _stores() -> None:
    op.create_table(
        "stores",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", uuid, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("name_folded", text, nullable=False),
        sa.Column("description", text, nullable=True),
        sa.Column("description_folded", text, nullable=True),
        sa.Column("url", text, nullable=False),
        sa.Column("url_folded", text, nullable=False),
        sa.Column("host", text, nullable=True),
        sa.Column("path", text, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("parameters", text, nullable=True),
        sa.Column("parameters_folded", text, nullable=True),
        sa.Column("management_ip", text, nullable=True),
        sa.Column("management_ip_folded", text, nullable=True),
        sa.Column("management_port", sa.Integer(), nullable=True),
        sa.Column("storage_network_uuid", uuid, nullable=True),
        sa.Column("service_network_uuid", uuid, nullable=True),
        sa.Column("container_registry", text, nullable=True),
        sa.Column("container_registry_folded", text, nullable=True),
        sa.Column("container_network", text, nullable=True),
        sa.Column("container_network_folded", text, nullable=True),
        sa.Column("container_storage_network", text, nullable=True),
        sa.Column("container_storage_network_folded", text, nullable=True),
        sa.Column("zone_uuid", uuid, nullable=True),
        sa.Column("models_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("services_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("datasets_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fine_tunes_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evaluations_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("temporary_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_stores_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_stores"),
        sa.UniqueConstraint("uuid", name="uq_stores_uuid"),
    )
    op.create_index(
        "ix_stores_audience_created_at_uuid_id", "stores", ["audience", "created_at", "uuid", "id"], unique=False
    )
    op.create_index("ix_stores_changed_at_id", "stores", ["changed_at", "id"], unique=False)
    op.create_index("ix_stores_created_at_uuid_id", "stores", ["created_at", "uuid", "id"], unique=False)
    op.create_index("ix_stores_name_folded_id", "stores", ["name_folded", "id"], unique=False)
    op.create_index("ix_stores_state_id", "stores", ["state", "id"], unique=False)


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
    op.create_index("ix_imports_model_id", "imports", ["model_id"], unique=False)
    op.create_index(
        "ix_imports_waiting", "imports", ["host", "id"], unique=False, sqlite_where=WAITING, postgresql_where=WAITING
    )
