"""Groups of instances that run a model service together. Nothing makes one yet: running services comes later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Read, Write
from trivium.dialects.zstack.apis import Api, Job, Listing, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member, word_of
from trivium.dialects.zstack.services.asking import settings_of
from trivium.dialects.zstack.services.inventory import TYPES as SERVICE_TYPES
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.dialects.zstack.things import (
    NAMING,
    ORDER,
    TAGS,
    TIMES,
    UUID_MEMBER,
    Deleting,
    DeletingMany,
    Name,
    Named,
    Short,
    Text,
    deleted,
    deletions,
    hex_of,
)
from trivium.resources import services
from trivium.resources.services import DatasetRef, GroupChange, GroupStatus, GroupType, ServiceGroup, ServiceInstance

STATUSES: Final = {
    "Deploying": GroupStatus.DEPLOYING.value,
    "Running": GroupStatus.RUNNING.value,
    "Stopped": GroupStatus.STOPPED.value,
    "Failed": GroupStatus.FAILED.value,
}
TYPES: Final = {
    "VirtualMachine": GroupType.VIRTUAL_MACHINE.value,
    "Container": GroupType.CONTAINER.value,
    "BareMetal2": GroupType.BARE_METAL.value,
}
SETTINGS: Final = (
    *("environmentVariables", "startupParameters", "serviceLivez", "serviceReadyz", "serviceBootupTime"),
)
"""What is kept of how the instances are to be run, for when they are."""

_STATUS: Final = Member(name="status", kind=Kind.WORD, field="status", words=STATUSES)

GROUP: Final = Inventory(
    "ModelServiceInstanceGroup",
    (
        UUID_MEMBER,
        *NAMING,
        Member(name="modelServiceUuid", kind=Kind.UUID, field="service_uuid"),
        Member(name="modelUuid", kind=Kind.UUID, field="model_uuid"),
        _STATUS,
        Member(name="modelServiceType", kind=Kind.WORD, field="service_type", words=SERVICE_TYPES),
        Member(name="type", kind=Kind.WORD, field="type", words=TYPES, sortable=False),
        Member(name="yaml", kind=Kind.STRING, field="yaml"),
        Member(name="supportMetrics", kind=Kind.LIST, field="support_metrics"),
        Member(name="exportPath", kind=Kind.STRING, field="export_path"),
        Member(name="instances", kind=Kind.OBJECTS),
        Member(name="datasetRefInventories", kind=Kind.OBJECTS),
        *TIMES,
    ),
    links=(
        Link(name="modelService", to="ModelService", path="service"),
        Link(name="model", to="Model", path="model"),
        Link(name="instances", to="ModelServiceInstance", path="instances"),
        Link(name="datasetRefInventories", to="ModelServiceInstanceGroupDatasetRef", path="dataset_refs"),
        Link(name="dataset", to="Dataset", path="dataset_refs.dataset"),
    ),
    tags=TAGS,
    order=ORDER,
)
"""A group of instances."""

INSTANCE: Final = Inventory(
    "ModelServiceInstance",
    (
        UUID_MEMBER,
        Member(name="name", kind=Kind.STRING, field="name"),
        Member(name="modelServiceGroupUuid", kind=Kind.UUID, field="group_uuid"),
        Member(name="yaml", kind=Kind.STRING, field="yaml"),
        Member(name="k8sResourceYaml", kind=Kind.STRING, field="k8s_yaml"),
        _STATUS,
        Member(name="url", kind=Kind.STRING, field="url"),
        Member(name="urlMaps", kind=Kind.STRING, field="url_maps"),
        Member(name="internalUrl", kind=Kind.STRING, field="internal_url"),
        Member(name="jupyterUrl", kind=Kind.STRING, field="jupyter_url"),
        Member(name="vmInstanceUuid", kind=Kind.UUID, field="vm_instance_uuid"),
        Member(name="nodeRank", kind=Kind.INTEGER, field="node_rank"),
        Member(name="clusterId", kind=Kind.LONG, field="cluster_id"),
        Member(name="namespace", kind=Kind.STRING, field="namespace"),
        Member(name="accountUuid", kind=Kind.UUID, field="account_uuid"),
        *TIMES,
    ),
    links=(Link(name="modelServiceInstanceGroup", to="ModelServiceInstanceGroup", path="group"),),
)
"""One instance of a group. It is asked about across relations only."""

DATASET_REF: Final = Inventory(
    "ModelServiceInstanceGroupDatasetRef",
    (
        UUID_MEMBER,
        Member(name="modelServiceInstanceGroupUuid", kind=Kind.UUID, field="group_uuid"),
        Member(name="datasetUuid", kind=Kind.UUID, field="dataset_uuid"),
    ),
    links=(
        Link(name="modelServiceInstanceGroup", to="ModelServiceInstanceGroup", path="group"),
        Link(name="dataset", to="Dataset", path="dataset"),
    ),
)
"""A dataset that a group has. It is asked about across relations only."""

INVENTORIES: Final = (GROUP, INSTANCE, DATASET_REF)


class UpdateGroupAsked(Named, frozen=True, kw_only=True):
    """What is to be otherwise of a group."""

    name: Name | None = None
    description: Text | None = None
    environment_variables: dict[str, Any] | None = None
    startup_parameters: dict[str, Any] | None = None
    service_livez: Short | None = None
    service_readyz: Short | None = None
    service_bootup_time: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)] | None = None


class InstanceShape(Shape, frozen=True, kw_only=True):
    """One instance of a group."""

    uuid: str
    name: str | None = None
    model_service_group_uuid: str
    yaml: str | None = None
    k8s_resource_yaml: str | None = None
    status: str
    url: str | None = None
    url_maps: Mapping[str, Any] | None = None
    internal_url: str | None = None
    jupyter_url: str | None = None
    vm_instance_uuid: str | None = None
    node_rank: int | None = None
    cluster_id: int | None = None
    namespace: str | None = None
    account_uuid: str | None = None
    vm: Mapping[str, Any] | None = None
    create_date: str
    last_op_date: str


class DatasetRefShape(Shape, frozen=True, kw_only=True):
    """A dataset that a group has."""

    uuid: str
    model_service_instance_group_uuid: str
    dataset_uuid: str


class GroupShape(Shape, frozen=True, kw_only=True):
    """A group of instances."""

    uuid: str
    name: str
    description: str | None = None
    model_service_uuid: str | None = None
    model_uuid: str | None = None
    status: str
    model_service_type: str | None = None
    type: str | None = None
    yaml: str | None = None
    support_metrics: tuple[str, ...] | None = None
    export_path: str | None = None
    instances: list[InstanceShape]
    dataset_ref_inventories: list[DatasetRefShape]
    create_date: str
    last_op_date: str


class Groups:
    """The calls that show groups; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def update(self, tx: Write, caller: Caller, asked: UpdateGroupAsked) -> Result:
        """The group as it is then."""
        to = GroupChange(name=asked.name, description=asked.description, settings=settings_of(asked, SETTINGS))
        after = services.change_group(tx, caller, asked.meant, to=to)
        return {"inventory": self._page(tx, caller, [after])[0]}

    def listing(self) -> Listing:
        """How queries are answered."""
        return Listing(
            inventory=GROUP,
            rows=services.GROUP_LISTING.page,
            shapes=self._page,
            summed=lambda tx, caller, query, of: services.GROUP_LISTING.summed(tx, caller, query, of=of),
        )

    def _page(self, tx: Read, caller: Caller, found: Sequence[ServiceGroup]) -> Sequence[GroupShape]:
        uuids = [group.uuid for group in found]
        instances = services.instances_of_groups(tx, caller, uuids)
        refs = services.datasets_of_groups(tx, caller, uuids)
        return [self._shape(group, instances[group.uuid], refs[group.uuid]) for group in found]

    def _shape(
        self, group: ServiceGroup, instances: Iterable[ServiceInstance], refs: Iterable[DatasetRef]
    ) -> GroupShape:
        return GroupShape(
            uuid=group.uuid.hex,
            name=group.name,
            description=group.description,
            model_service_uuid=hex_of(group.service),
            model_uuid=hex_of(group.model),
            status=word_of(STATUSES, group.status.value),
            model_service_type=None if group.service_type is None else word_of(SERVICE_TYPES, group.service_type.value),
            type=None if group.type is None else word_of(TYPES, group.type.value),
            yaml=group.yaml,
            support_metrics=group.support_metrics or None,
            export_path=group.export_path,
            instances=[self._instance(instance) for instance in instances],
            dataset_ref_inventories=[_dataset_ref(ref) for ref in refs],
            create_date=time_text(group.created_at, self._utc_offset),
            last_op_date=time_text(group.changed_at, self._utc_offset),
        )

    def _instance(self, instance: ServiceInstance) -> InstanceShape:
        return InstanceShape(
            uuid=instance.uuid.hex,
            name=instance.name,
            model_service_group_uuid=instance.group.hex,
            yaml=instance.yaml,
            k8s_resource_yaml=instance.k8s_yaml,
            status=word_of(STATUSES, instance.status.value),
            url=instance.url,
            url_maps=instance.url_maps or None,
            internal_url=instance.internal_url,
            jupyter_url=instance.jupyter_url,
            vm_instance_uuid=hex_of(instance.vm_instance),
            node_rank=instance.node_rank,
            cluster_id=instance.cluster_id,
            namespace=instance.namespace,
            account_uuid=hex_of(instance.account),
            vm=instance.vm,
            create_date=time_text(instance.created_at, self._utc_offset),
            last_op_date=time_text(instance.changed_at, self._utc_offset),
        )


def delete(tx: Write, caller: Caller, asked: Deleting) -> Result:
    """The group is gone, with its instances."""
    return deleted(asked, lambda uuid: services.delete_group(tx, caller, uuid))


def delete_many(tx: Write, caller: Caller, asked: DeletingMany) -> Result:
    """What became of each."""
    return deletions(asked, lambda uuids: services.delete_groups(tx, caller, uuids))


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls."""
    calls = Groups(utc_offset)
    return (
        Api(
            name="QueryModelServiceInstanceGroup",
            places=queried_at("/ai/model-services/instances/groups"),
            handler=calls.listing(),
            mark=Mark.COMPANION,
            summary="Groups of instances of services: the project's own and public ones, all for an administrator",
        ),
        Api(
            name="UpdateModelServiceInstanceGroup",
            places=(at("PUT", "/model-service-instance-groups/{uuid}"),),
            handler=Job(do=calls.update),
            mark=Mark.BEYOND,
            summary="Change what is said of a group of instances",
            shape=UpdateGroupAsked,
        ),
        Api(
            name="DeleteModelServiceInstanceGroup",
            places=(at("DELETE", "/ai/model-services/instances/groups/{uuid}"),),
            handler=Job(do=delete),
            mark=Mark.COMPANION,
            summary="Delete a group of instances",
            shape=Deleting,
        ),
        Api(
            name="DeleteModelServiceInstanceGroups",
            places=(at("DELETE", "/ai/model-services/instances/groups"),),
            handler=Job(do=delete_many),
            mark=Mark.BEYOND,
            summary="Delete several groups of instances",
            shape=DeletingMany,
        ),
    )


def _dataset_ref(ref: DatasetRef) -> DatasetRefShape:
    return DatasetRefShape(
        uuid=ref.uuid.hex, model_service_instance_group_uuid=ref.group.hex, dataset_uuid=ref.dataset.hex
    )
