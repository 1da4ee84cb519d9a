"""What is shown of model services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from trivium.base.caller import Caller
from trivium.dialects.operation import Read
from trivium.dialects.zstack.bindings import RefShape, ref_shape
from trivium.dialects.zstack.inventories import word_of
from trivium.dialects.zstack.services.inventory import ARCHITECTURES, SOURCES, TYPES
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.dialects.zstack.things import hex_of
from trivium.resources import services
from trivium.resources.services import ModelService, ServiceImage, ServiceRef


class TemplateShape(Shape, frozen=True, kw_only=True):
    """An image of a service for some processors."""

    uuid: str
    model_service_uuid: str
    cpu_architecture: str
    vm_image_uuid: str | None = None
    docker_image: str | None = None
    gpu_vendor: str | None = None
    create_date: str
    last_op_date: str


class ServiceShape(Shape, frozen=True, kw_only=True):
    """A model service."""

    uuid: str
    name: str
    description: str | None = None
    readme: str | None = None
    yaml: str
    request_cpu: int
    request_memory: int
    model_center_uuid: str
    type: str
    framework: str | None = None
    source: str
    size: int | None = None
    system: bool
    gpu_compute_capability: str | None = None
    install_path: str
    python_version: str | None = None
    conda_version: str | None = None
    start_command: str
    container_command: str | None = None
    container_args: str | None = None
    support_distributed: bool
    cpu_architectures: tuple[str, ...] | None = None
    vendor_to_spec_uuids_map: Mapping[str, Any] | None = None
    model_service_refs: list[RefShape]
    model_service_images: list[TemplateShape]
    create_date: str
    last_op_date: str


class ServiceShapes:
    """Makes them; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def page(self, tx: Read, caller: Caller, found: Sequence[ModelService]) -> Sequence[ServiceShape]:
        """What the caller is shown of a page of services."""
        uuids = [service.uuid for service in found]
        refs = services.refs_of_services(tx, caller, uuids)
        images = services.images_of_services(tx, caller, uuids)
        return [self._shape(service, refs[service.uuid], images[service.uuid]) for service in found]

    def one(self, tx: Read, caller: Caller, service: ModelService) -> ServiceShape:
        """What the caller is shown of one."""
        return self.page(tx, caller, [service])[0]

    def _shape(self, service: ModelService, refs: Iterable[ServiceRef], images: Iterable[ServiceImage]) -> ServiceShape:
        return ServiceShape(
            uuid=service.uuid.hex,
            name=service.name,
            description=service.description,
            readme=service.readme,
            yaml=service.yaml,
            request_cpu=service.request_cpu,
            request_memory=service.request_memory,
            model_center_uuid=service.store.hex,
            type=word_of(TYPES, service.type.value),
            framework=service.framework,
            source=word_of(SOURCES, service.source.value),
            size=service.size,
            system=service.system,
            gpu_compute_capability=service.gpu_compute_capability,
            install_path=service.install_path,
            python_version=service.python_version,
            conda_version=service.conda_version,
            start_command=service.start_command,
            container_command=service.container_command,
            container_args=service.container_args,
            support_distributed=service.distributed,
            cpu_architectures=service.architectures or None,
            vendor_to_spec_uuids_map=service.vendor_specs or None,
            model_service_refs=[ref_shape(ref) for ref in refs],
            model_service_images=[self._template(image) for image in images],
            create_date=time_text(service.created_at, self._utc_offset),
            last_op_date=time_text(service.changed_at, self._utc_offset),
        )

    def _template(self, image: ServiceImage) -> TemplateShape:
        return TemplateShape(
            uuid=image.uuid.hex,
            model_service_uuid=image.service.hex,
            cpu_architecture=word_of(ARCHITECTURES, image.architecture.value),
            vm_image_uuid=hex_of(image.vm_image),
            docker_image=image.docker_image,
            gpu_vendor=image.gpu_vendor,
            create_date=time_text(image.created_at, self._utc_offset),
            last_op_date=time_text(image.changed_at, self._utc_offset),
        )
