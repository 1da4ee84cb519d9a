"""The way from the rows of services and groups to values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from trivium.base import json
from trivium.resources import owning
from trivium.resources.owning import EVERYBODY
from trivium.resources.services.types import (
    Architecture,
    DatasetRef,
    GroupStatus,
    GroupType,
    ModelService,
    ServiceGroup,
    ServiceImage,
    ServiceInstance,
    ServiceRef,
    ServiceSource,
    ServiceType,
)


def service_of(row: Row[Any]) -> ModelService:
    """The service that a row of `services` stands for."""
    return ModelService(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        store=row.store_uuid,
        name=row.name,
        description=row.description,
        readme=row.readme,
        yaml=row.yaml,
        request_cpu=row.request_cpu,
        request_memory=row.request_memory,
        type=ServiceType(row.type),
        framework=row.framework,
        source=ServiceSource(row.source),
        size=row.size,
        system=row.system,
        gpu_compute_capability=row.gpu_compute_capability,
        install_path=row.install_path,
        python_version=row.python_version,
        conda_version=row.conda_version,
        start_command=row.start_command,
        container_command=row.container_command,
        container_args=row.container_args,
        distributed=row.distributed,
        architectures=_members(row.architectures),
        vendor_specs=owning.document_of(row.vendor_specs),
        settings=owning.document_of(row.settings),
        zone=row.zone_uuid,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def image_of(row: Row[Any]) -> ServiceImage:
    """The image that a row of `service_images` stands for."""
    return ServiceImage(
        id=row.id,
        uuid=row.uuid,
        service=row.service_uuid,
        architecture=Architecture(row.architecture),
        vm_image=row.vm_image_uuid,
        docker_image=row.docker_image,
        gpu_vendor=row.gpu_vendor,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def ref_of(row: Row[Any]) -> ServiceRef:
    """The binding that a row of `service_refs` stands for."""
    return ServiceRef(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        model=row.model_uuid,
        service=row.service_uuid,
        is_default=row.is_default,
    )


def group_of(row: Row[Any]) -> ServiceGroup:
    """The group that a row of `service_groups` stands for."""
    return ServiceGroup(
        id=row.id,
        uuid=row.uuid,
        project=row.project_id,
        public=row.audience == EVERYBODY,
        name=row.name,
        description=row.description,
        service=row.service_uuid,
        model=row.model_uuid,
        status=GroupStatus(row.status),
        service_type=None if row.service_type is None else ServiceType(row.service_type),
        type=None if row.type is None else GroupType(row.type),
        yaml=row.yaml,
        support_metrics=_members(row.support_metrics),
        export_path=row.export_path,
        settings=owning.document_of(row.settings),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def instance_of(row: Row[Any]) -> ServiceInstance:
    """The instance that a row of `service_instances` stands for."""
    return ServiceInstance(
        id=row.id,
        uuid=row.uuid,
        group=row.group_uuid,
        name=row.name,
        yaml=row.yaml,
        k8s_yaml=row.k8s_yaml,
        status=GroupStatus(row.status),
        url=row.url,
        url_maps=owning.document_of(row.url_maps),
        internal_url=row.internal_url,
        jupyter_url=row.jupyter_url,
        vm_instance=row.vm_instance_uuid,
        node_rank=row.node_rank,
        cluster_id=row.cluster_id,
        namespace=row.namespace,
        account=row.account_uuid,
        vm=None if row.vm is None else json.decode_as(row.vm, dict[str, Any]),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def dataset_ref_of(row: Row[Any]) -> DatasetRef:
    """The dataset of a group that a row of `service_datasets` stands for."""
    return DatasetRef(id=row.id, uuid=row.uuid, group=row.group_uuid, dataset=row.dataset_uuid)


def _members(kept: str | None) -> tuple[str, ...]:
    return () if not kept else tuple(kept.split(","))
