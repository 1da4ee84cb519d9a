"""Calls that would run services. They are looked at as if they could be carried out, and are refused with the reason.

Services are entries of the catalogue; running them comes later, and no call pretends that one runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Wire, Write
from trivium.dialects.zstack.apis import Api, Job, at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.refusals import NotDeployed, NotRun
from trivium.dialects.zstack.things import Name, Short, Text, Uuids, uuid_of
from trivium.resources import datasets, models, services

Number = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class DeployType(StrEnum):
    """What instances are to run as."""

    VIRTUAL_MACHINE = "VirtualMachine"
    CONTAINER = "Container"
    BARE_METAL = "BareMetal2"


class Placement(StrEnum):
    """Who chooses where something is to run."""

    AUTO = "Auto"
    PINNED = "Pinned"


class Deployment(Wire, frozen=True, kw_only=True, rename="camel"):
    """How instances of a service are to run."""

    model_uuid: UUID | None = None
    description: Text | None = None
    dataset_uuids: Uuids | None = None
    model_service_group_uuids: Uuids | None = None
    docker_image: Short | None = None
    vm_image_uuid: UUID | None = None
    primary_storage_uuid: UUID | None = None
    cluster_uuid: UUID | None = None
    cpu_num: Positive | None = None
    memory_size: Positive | None = None
    l3_network_uuids: Uuids | None = None
    environment_variables: dict[str, Any] | None = None
    startup_parameters: dict[str, Any] | None = None
    service_boot_uptime: Number | None = None
    service_livez: Short | None = None
    service_readyz: Short | None = None
    root_disk_offering_uuid: UUID | None = None
    root_disk_size: Positive | None = None


class DeployAsked(Deployment, frozen=True, kw_only=True):
    """Which service is to run, and how."""

    uuid: str
    name: Name
    type: DeployType
    zone_uuid: UUID


class DeployDistributedAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """Services that are to run together."""

    name: Name
    service_creation_strategy: Short
    model_services: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=100)]


class MatchAsked(Deployment, frozen=True, kw_only=True):
    """Models and services that are to be matched, and run."""

    model_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]
    model_service_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]
    instance_number: Positive


class DeployDevelopmentAsked(Deployment, frozen=True, kw_only=True):
    """A development service that is to run."""

    name: Name
    gpu_spec_uuid: UUID | None = None
    gpu_count: Positive | None = None
    placement_mode: Placement | None = None
    target_uuid: UUID | None = None
    project_uuid: UUID | None = None
    request_cpu_num: Positive | None = None
    request_memory_size: Positive | None = None
    enable_developer_endpoint: bool | None = None


class RestartAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """Groups that are to start anew."""

    uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=1000)]


def deploy(tx: Write, caller: Caller, asked: DeployAsked) -> Result:
    """Refuses: `NoSuchService`, what else is named and not there, or `NotRun`."""
    services.get(tx, caller, uuid_of(asked.uuid))
    _look(tx, caller, asked)
    raise NotRun


def deploy_distributed(_tx: Write, _caller: Caller, _asked: DeployDistributedAsked) -> Result:
    """Refuses: `NotRun`."""
    raise NotRun


def match(tx: Write, caller: Caller, asked: MatchAsked) -> Result:
    """Refuses: `NoSuchModel`, `NoSuchService`, or `NotRun`."""
    for model in asked.model_uuids:
        models.get(tx, caller, model)
    for service in asked.model_service_uuids:
        services.get(tx, caller, service)
    raise NotRun


def deploy_development(tx: Write, caller: Caller, asked: DeployDevelopmentAsked) -> Result:
    """Refuses: what is named and not there, or `NotDeployed`."""
    _look(tx, caller, asked)
    raise NotDeployed


def restart(tx: Write, caller: Caller, asked: RestartAsked) -> Result:
    """Refuses: `NoSuchGroup`, or `NotRun`."""
    for group in asked.uuids:
        services.get_group(tx, caller, group)
    raise NotRun


def apis() -> Iterable[Api]:
    """The calls."""
    return (
        Api(
            name="DeployModelService",
            places=(at("PUT", "/ai/model-services/{uuid}"),),
            handler=Job(do=deploy),
            mark=Mark.COMPANION,
            summary="Refused, once it was looked at: running services comes later",
            shape=DeployAsked,
        ),
        Api(
            name="DeployDistributedModelService",
            places=(at("PUT", "/ai/model-services"),),
            handler=Job(do=deploy_distributed),
            mark=Mark.BEYOND,
            summary="Refused, once it was looked at: running services comes later",
            shape=DeployDistributedAsked,
        ),
        Api(
            name="MatchModelServiceTemplateWithModel",
            places=(at("POST", "/ai/model-services/templates"),),
            handler=Job(do=match),
            mark=Mark.BEYOND,
            summary="Refused, once it was looked at: running services comes later",
            shape=MatchAsked,
        ),
        Api(
            name="DeployAppDevelopmentService",
            places=(at("PUT", "/ai/model-services/app"),),
            handler=Job(do=deploy_development),
            mark=Mark.BEYOND,
            summary="Refused, once it was looked at: notebooks are made through the other dialects",
            shape=DeployDevelopmentAsked,
        ),
        Api(
            name="RestartModelServiceGroups",
            places=(at("PUT", "/model-service-instance-groups"),),
            handler=Job(do=restart),
            mark=Mark.BEYOND,
            summary="Refused, once it was looked at: running services comes later",
            shape=RestartAsked,
        ),
    )


def _look(tx: Write, caller: Caller, asked: Deployment) -> None:
    """See that what is named is there."""
    if asked.model_uuid is not None:
        models.get(tx, caller, asked.model_uuid)
    for dataset in asked.dataset_uuids or ():
        datasets.get(tx, caller, dataset)
