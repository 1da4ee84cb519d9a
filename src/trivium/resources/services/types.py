"""Model services, what binds models to them, and groups of their instances, as values. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from trivium.base.values import Value


class ServiceType(StrEnum):
    """What a service does with models."""

    ENDPOINT = "endpoint"
    FINE_TUNE = "fine_tune"
    MODEL_EVAL = "model_eval"
    APP = "app"


class ServiceSource(StrEnum):
    """Where a service comes from."""

    OTHER = "other"
    BENTOML = "bentoml"
    HUGGING_FACE = "hugging_face"


class Architecture(StrEnum):
    """Processors that an image is for."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"


class GroupStatus(StrEnum):
    """How it is with a group of instances, or with one."""

    DEPLOYING = "deploying"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


class GroupType(StrEnum):
    """What the instances of a group run as."""

    VIRTUAL_MACHINE = "virtual_machine"
    CONTAINER = "container"
    BARE_METAL = "bare_metal"


class NewImage(Value, frozen=True):
    """An image that a service is to have for some processors."""

    architecture: Architecture
    vm_image: UUID | None = None
    docker_image: str | None = None
    gpu_vendor: str | None = None


class NewService(Value, frozen=True):
    """What a caller asks for in a new service."""

    name: str
    yaml: str
    store: UUID
    request_cpu: int
    request_memory: int
    install_path: str
    start_command: str
    uuid: UUID | None = None
    public: bool = False
    description: str | None = None
    readme: str | None = None
    type: ServiceType = ServiceType.ENDPOINT
    source: ServiceSource = ServiceSource.OTHER
    framework: str | None = None
    size: int | None = None
    system: bool = False
    gpu_compute_capability: str | None = None
    python_version: str | None = None
    conda_version: str | None = None
    container_command: str | None = None
    container_args: str | None = None
    distributed: bool = False
    architectures: tuple[str, ...] | None = None  # None: those of the images
    vendor_specs: Mapping[str, Any] | None = None
    zone: UUID | None = None
    images: tuple[NewImage, ...] = ()


class ServiceChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    yaml: str | None = None
    request_cpu: int | None = None
    request_memory: int | None = None
    install_path: str | None = None
    start_command: str | None = None
    description: str | None = None
    readme: str | None = None
    type: ServiceType | None = None
    source: ServiceSource | None = None
    framework: str | None = None
    gpu_compute_capability: str | None = None
    python_version: str | None = None
    conda_version: str | None = None
    container_command: str | None = None
    container_args: str | None = None
    distributed: bool | None = None
    architectures: tuple[str, ...] | None = None
    vendor_specs: Mapping[str, Any] | None = None
    images: tuple[NewImage, ...] | None = None
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])  # more of them, by their names


class ServiceImage(Value, frozen=True):
    """An image that a service has for some processors."""

    id: int
    uuid: UUID
    service: UUID
    architecture: Architecture
    vm_image: UUID | None
    docker_image: str | None
    gpu_vendor: str | None
    created_at: datetime
    changed_at: datetime


class ServiceRef(Value, frozen=True):
    """A model that is bound to a service."""

    id: int
    uuid: UUID
    project: int
    public: bool
    model: UUID
    service: UUID
    is_default: bool  # of the model; it has one at most


class ModelService(Value, frozen=True):
    """One service."""

    id: int
    uuid: UUID
    project: int
    public: bool
    store: UUID
    name: str
    description: str | None
    readme: str | None
    yaml: str
    request_cpu: int
    request_memory: int
    type: ServiceType
    framework: str | None
    source: ServiceSource
    size: int | None
    system: bool
    gpu_compute_capability: str | None
    install_path: str
    python_version: str | None
    conda_version: str | None
    start_command: str
    container_command: str | None
    container_args: str | None
    distributed: bool
    architectures: tuple[str, ...]
    vendor_specs: Mapping[str, Any]
    settings: Mapping[str, Any]  # what else callers said of how it runs
    zone: UUID | None
    created_at: datetime
    changed_at: datetime


class GroupChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])  # more of them, by their names


class ServiceGroup(Value, frozen=True):
    """Instances of a service that run together."""

    id: int
    uuid: UUID
    project: int
    public: bool
    name: str
    description: str | None
    service: UUID | None
    model: UUID | None
    status: GroupStatus
    service_type: ServiceType | None
    type: GroupType | None
    yaml: str | None
    support_metrics: tuple[str, ...]
    export_path: str | None
    settings: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


class ServiceInstance(Value, frozen=True):
    """One instance of a group."""

    id: int
    uuid: UUID
    group: UUID
    name: str | None
    yaml: str | None
    k8s_yaml: str | None
    status: GroupStatus
    url: str | None
    url_maps: Mapping[str, Any]
    internal_url: str | None
    jupyter_url: str | None
    vm_instance: UUID | None
    node_rank: int | None
    cluster_id: int | None
    namespace: str | None
    account: UUID | None
    vm: Mapping[str, Any] | None
    created_at: datetime
    changed_at: datetime


class DatasetRef(Value, frozen=True):
    """A dataset that a group has."""

    id: int
    uuid: UUID
    group: UUID
    dataset: UUID
