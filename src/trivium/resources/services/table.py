"""The tables of services, their images and bindings, and of groups with their instances and datasets."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table
from sqlalchemy import text as sql

from trivium.resources import owning
from trivium.store import metadata
from trivium.store.columns import Uuid16, text
from trivium.store.schema import nulls_first_index, partial_index

SERVICE_TEXTS: Final = (
    *("name", "description", "readme", "yaml", "framework", "gpu_compute_capability", "install_path"),
    *("python_version", "conda_version", "start_command", "container_command", "container_args", "vendor_specs"),
)
GROUP_TEXTS: Final = ("name", "description", "yaml", "export_path")
INSTANCE_TEXTS: Final = (
    *("name", "yaml", "k8s_yaml", "url", "url_maps", "internal_url", "jupyter_url", "namespace", "vm"),
)

services = Table(
    "services",
    metadata,
    *owning.owned(),
    Column("store_uuid", Uuid16, nullable=False),
    *owning.folded("name", nullable=False),
    *owning.folded("description"),
    *owning.folded("readme"),
    *owning.folded("yaml", nullable=False),
    Column("request_cpu", Integer, nullable=False),
    Column("request_memory", BigInteger, nullable=False),
    Column("type", text(), nullable=False),
    *owning.folded("framework"),
    Column("source", text(), nullable=False),
    Column("size", BigInteger),
    Column("system", Boolean, nullable=False),
    *owning.folded("gpu_compute_capability"),
    *owning.folded("install_path", nullable=False),
    *owning.folded("python_version"),
    *owning.folded("conda_version"),
    *owning.folded("start_command", nullable=False),
    *owning.folded("container_command"),
    *owning.folded("container_args"),
    Column("distributed", Boolean, nullable=False),
    Column("architectures", text()),  # with commas between them, and no capitals
    *owning.folded("vendor_specs"),  # JSON
    Column("settings", text()),  # JSON
    Column("zone_uuid", Uuid16),
    *owning.times(),
    Index(None, "name_folded", "id"),
    Index(None, "store_uuid", "id"),
    Index(None, "type", "id"),
    nulls_first_index("size", "id"),
    nulls_first_index("framework_folded", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "changed_at", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

images = Table(
    "service_images",
    metadata,
    *owning.owned(),
    Column("service_uuid", Uuid16, nullable=False),
    Column("architecture", text(), nullable=False),
    Column("vm_image_uuid", Uuid16),
    *owning.folded("docker_image"),
    *owning.folded("gpu_vendor"),
    *owning.times(),
    Index(None, "service_uuid", "id"),
    Index(None, "vm_image_uuid", "id"),
    nulls_first_index("docker_image_folded", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

refs = Table(
    "service_refs",
    metadata,
    *owning.owned(),
    Column("model_uuid", Uuid16, nullable=False),
    Column("service_uuid", Uuid16, nullable=False),
    Column("is_default", Boolean, nullable=False),
    *owning.times(),
    Index("uq_service_refs_bound", "model_uuid", "service_uuid", unique=True),
    Index(None, "service_uuid", "model_uuid"),
    partial_index("uq_service_refs_default", "model_uuid", where=sql("is_default"), unique=True),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

groups = Table(
    "service_groups",
    metadata,
    *owning.owned(),
    *owning.folded("name", nullable=False),
    *owning.folded("description"),
    Column("service_uuid", Uuid16),
    Column("model_uuid", Uuid16),
    Column("status", text(), nullable=False),
    Column("service_type", text()),
    Column("type", text()),
    *owning.folded("yaml"),
    Column("support_metrics", text()),  # with commas between them, and no capitals
    *owning.folded("export_path"),
    Column("settings", text()),  # JSON
    *owning.times(),
    Index(None, "name_folded", "id"),
    nulls_first_index("service_uuid", "id"),
    nulls_first_index("model_uuid", "id"),
    Index(None, "status", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "changed_at", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

instances = Table(
    "service_instances",
    metadata,
    *owning.owned(),
    Column("group_uuid", Uuid16, nullable=False),
    *owning.folded("name"),
    *owning.folded("yaml"),
    *owning.folded("k8s_yaml"),
    Column("status", text(), nullable=False),
    *owning.folded("url"),
    *owning.folded("url_maps"),  # JSON
    *owning.folded("internal_url"),
    *owning.folded("jupyter_url"),
    Column("vm_instance_uuid", Uuid16),
    Column("node_rank", Integer),
    Column("cluster_id", BigInteger),
    *owning.folded("namespace"),
    Column("account_uuid", Uuid16),
    *owning.folded("vm"),  # JSON
    *owning.times(),
    Index(None, "group_uuid", "id"),
    nulls_first_index("name_folded", "id"),
    Index(None, "status", "id"),
    Index(None, "vm_instance_uuid", "id"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)

dataset_refs = Table(
    "service_datasets",
    metadata,
    *owning.owned(),
    Column("group_uuid", Uuid16, nullable=False),
    Column("dataset_uuid", Uuid16, nullable=False),
    *owning.times(),
    Index("uq_service_datasets_bound", "group_uuid", "dataset_uuid", unique=True),
    Index(None, "dataset_uuid", "group_uuid"),
    Index(None, "created_at", "uuid", "id"),
    Index(None, "audience", "created_at", "uuid", "id"),
)
