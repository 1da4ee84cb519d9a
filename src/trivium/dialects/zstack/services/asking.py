"""What callers give of model services, and what the core is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta

from trivium.dialects.operation import Wire
from trivium.dialects.zstack.services.inventory import ARCHITECTURES, SOURCES, TYPES
from trivium.dialects.zstack.things import Name, Named, NewThing, Path, Short, Text, Uuids, Words
from trivium.resources.services import (
    Architecture,
    NewImage,
    NewService,
    ServiceChange,
    ServiceSource,
    ServiceType,
)

Yaml = Annotated[str, Meta(min_length=1, max_length=65_536)]
Command = Annotated[str, Meta(max_length=8192)]
NeededCommand = Annotated[str, Meta(min_length=1, max_length=8192)]
Cores = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
Bytes = Annotated[int, Meta(ge=0)]

SETTINGS: Final = (
    *("environmentParameters", "startupParameters", "inferenceParams", "serviceName", "servicePorts"),
    *("serviceLivez", "serviceReadyz", "serviceBootupTime", "serviceInstallPath", "serviceStartCommand"),
)
"""What is kept of how a service is to be run, for when it is."""


class TypeAsked(StrEnum):
    """What a service does with models."""

    ENDPOINT = "Endpoint"
    FINE_TUNE = "FineTune"
    MODEL_EVAL = "ModelEval"
    APP = "App"


class SourceAsked(StrEnum):
    """Where a service comes from."""

    OTHER = "Other"
    BENTOML = "Bentoml"
    HUGGING_FACE = "HuggingFace"


class ArchitectureAsked(StrEnum):
    """Processors that an image is for."""

    X86_64 = "X86_64"
    AARCH64 = "AARCH64"


class ImageAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """An image for some processors."""

    cpu_architecture: ArchitectureAsked
    vm_image_uuid: UUID | None = None
    docker_image: Annotated[str, Meta(max_length=512)] | None = None
    gpu_vendor: Short | None = None


class AddServiceAsked(NewThing, frozen=True, kw_only=True):
    """A new service."""

    name: Name
    yaml: Yaml
    model_center_uuid: UUID
    request_cpu: Cores
    request_memory: Bytes
    install_path: Path
    start_command: NeededCommand
    description: Text | None = None
    readme: Annotated[str, Meta(max_length=65_536)] | None = None
    gpu_compute_capability: Short | None = None
    system: bool = False
    container_command: Command | None = None
    container_args: Command | None = None
    python_version: Short | None = None
    conda_version: Short | None = None
    zone_uuid: UUID | None = None
    type: TypeAsked = TypeAsked.ENDPOINT
    source: SourceAsked = SourceAsked.OTHER
    framework: Short | None = None
    size: Bytes | None = None
    model_uuids: Uuids | None = None
    architecture_images: Annotated[tuple[ImageAsked, ...], Meta(max_length=32)] | None = None
    cpu_architectures: Words | None = None
    support_distributed: bool = False
    vendor_to_spec_uuids_map: dict[str, Any] | None = None


class UpdateServiceAsked(Named, frozen=True, kw_only=True):
    """What is to be otherwise of a service."""

    name: Name | None = None
    yaml: Yaml | None = None
    request_cpu: Cores | None = None
    request_memory: Bytes | None = None
    install_path: Path | None = None
    start_command: NeededCommand | None = None
    description: Text | None = None
    readme: Annotated[str, Meta(max_length=65_536)] | None = None
    gpu_compute_capability: Short | None = None
    container_command: Command | None = None
    container_args: Command | None = None
    python_version: Short | None = None
    conda_version: Short | None = None
    type: TypeAsked | None = None
    source: SourceAsked | None = None
    framework: Short | None = None
    architecture_images: Annotated[tuple[ImageAsked, ...], Meta(max_length=32)] | None = None
    cpu_architectures: Words | None = None
    support_distributed: bool | None = None
    vendor_to_spec_uuids_map: dict[str, Any] | None = None
    environment_parameters: dict[str, Any] | None = None
    startup_parameters: dict[str, Any] | None = None
    inference_params: dict[str, Any] | None = None
    service_name: Short | None = None
    service_ports: Annotated[tuple[Any, ...], Meta(max_length=100)] | None = None
    service_livez: Short | None = None
    service_readyz: Short | None = None
    service_bootup_time: Cores | None = None
    service_install_path: Text | None = None
    service_start_command: Command | None = None


def new_service(asked: AddServiceAsked) -> NewService:
    """The service that is asked for."""
    return NewService(
        name=asked.name,
        yaml=asked.yaml,
        store=asked.model_center_uuid,
        request_cpu=asked.request_cpu,
        request_memory=asked.request_memory,
        install_path=asked.install_path,
        start_command=asked.start_command,
        uuid=asked.chosen,
        description=asked.description,
        readme=asked.readme,
        type=ServiceType(TYPES[asked.type]),
        source=ServiceSource(SOURCES[asked.source]),
        framework=asked.framework,
        size=asked.size,
        system=asked.system,
        gpu_compute_capability=asked.gpu_compute_capability,
        python_version=asked.python_version,
        conda_version=asked.conda_version,
        container_command=asked.container_command,
        container_args=asked.container_args,
        distributed=asked.support_distributed,
        architectures=asked.cpu_architectures,
        vendor_specs=asked.vendor_to_spec_uuids_map,
        zone=asked.zone_uuid,
        images=_images(asked.architecture_images or ()),
    )


def service_change(asked: UpdateServiceAsked) -> ServiceChange:
    """The change that is asked for."""
    images = asked.architecture_images
    return ServiceChange(
        name=asked.name,
        yaml=asked.yaml,
        request_cpu=asked.request_cpu,
        request_memory=asked.request_memory,
        install_path=asked.install_path,
        start_command=asked.start_command,
        description=asked.description,
        readme=asked.readme,
        type=None if asked.type is None else ServiceType(TYPES[asked.type]),
        source=None if asked.source is None else ServiceSource(SOURCES[asked.source]),
        framework=asked.framework,
        gpu_compute_capability=asked.gpu_compute_capability,
        python_version=asked.python_version,
        conda_version=asked.conda_version,
        container_command=asked.container_command,
        container_args=asked.container_args,
        distributed=asked.support_distributed,
        architectures=asked.cpu_architectures,
        vendor_specs=asked.vendor_to_spec_uuids_map,
        images=None if images is None else _images(images),
        settings=settings_of(asked, SETTINGS),
    )


def settings_of(asked: Wire, names: Iterable[str]) -> Mapping[str, Any]:
    """Those of the settings that are given, by their names on the wire."""
    by_name = dict(zip(asked.__struct_encode_fields__, asked.__struct_fields__, strict=True))
    found = {name: getattr(asked, by_name[name]) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _images(asked: Iterable[ImageAsked]) -> tuple[NewImage, ...]:
    return tuple(
        NewImage(
            architecture=Architecture(ARCHITECTURES[image.cpu_architecture]),
            vm_image=image.vm_image_uuid,
            docker_image=image.docker_image,
            gpu_vendor=image.gpu_vendor,
        )
        for image in asked
    )
