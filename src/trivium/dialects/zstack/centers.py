"""Model centres: directories on disk that models, services and datasets lie in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.dialects.operation import Mark, Read, Wire, Write
from trivium.dialects.zstack.apis import Api, Job, Listing, Look, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member, absent, word_of
from trivium.dialects.zstack.services.shapes import ServiceShapes
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.dialects.zstack.things import (
    NAMING,
    ORDER,
    TAGS,
    TIMES,
    UUID_MEMBER,
    Deleting,
    Name,
    Named,
    NewThing,
    Path,
    Short,
    Text,
    deleted,
    hex_of,
)
from trivium.resources import services, stores
from trivium.resources.stores import ModelStore, ModelStoreChange, NewModelStore, StoreState

STATUSES: Final = {
    "Connected": StoreState.CONNECTED.value,
    "Connecting": StoreState.CONNECTING.value,
    "Disconnected": StoreState.DISCONNECTED.value,
}

CENTER: Final = Inventory(
    "ModelCenter",
    (
        UUID_MEMBER,
        *NAMING,
        Member(name="url", kind=Kind.STRING, field="url"),
        Member(name="status", kind=Kind.WORD, field="state", words=STATUSES),
        Member(name="parameters", kind=Kind.STRING, field="parameters"),
        Member(name="managementIp", kind=Kind.STRING, field="management_ip"),
        Member(name="managementPort", kind=Kind.INTEGER, field="management_port"),
        Member(name="storageNetworkUuid", kind=Kind.UUID, field="storage_network_uuid"),
        Member(name="serviceNetworkUuid", kind=Kind.UUID, field="service_network_uuid"),
        Member(name="containerRegistry", kind=Kind.STRING, field="container_registry"),
        Member(name="containerNetwork", kind=Kind.STRING, field="container_network"),
        Member(name="containerStorageNetwork", kind=Kind.STRING, field="container_storage_network"),
        Member(name="capacity", kind=Kind.OBJECTS),
        *absent(Kind.STRING, "zdfs"),
        *TIMES,
    ),
    links=(
        Link(name="model", to="Model", path="models"),
        Link(name="modelService", to="ModelService", path="services"),
        Link(name="dataset", to="Dataset", path="datasets"),
        Link(name="capacity", to="ModelCenterCapacity", path="capacity"),
    ),
    tags=TAGS,
    order=ORDER,
)
"""A model centre. None lies in ZStack's own file system, of which `zdfs` would tell."""

CAPACITY: Final = Inventory(
    "ModelCenterCapacity",
    (
        UUID_MEMBER,
        Member(name="modelUsedCapacity", kind=Kind.LONG, field="models_used"),
        Member(name="modelServiceUsedCapacity", kind=Kind.LONG, field="services_used"),
        Member(name="datasetUsedCapacity", kind=Kind.LONG, field="datasets_used"),
        Member(name="fineTuneUsedCapacity", kind=Kind.LONG, field="fine_tunes_used"),
        Member(name="modelEvaluationUsedCapacity", kind=Kind.LONG, field="evaluations_used"),
        Member(name="temporaryUsedCapacity", kind=Kind.LONG, field="temporary_used"),
        Member(name="cacheUsedCapacity", kind=Kind.LONG, field="cache_used"),
    ),
)
"""What is in use of a centre. It is asked about across the relation only."""

INVENTORIES: Final = (CENTER, CAPACITY)

Port = Annotated[int, Meta(ge=1, le=65_535)]


class AddCenterAsked(NewThing, frozen=True, kw_only=True):
    """A new centre."""

    name: Name
    url: Path
    management_ip: Name
    management_port: Port
    description: Text | None = None
    parameters: Text | None = None
    storage_network_uuid: UUID | None = None
    service_network_uuid: UUID | None = None
    container_registry: Text | None = None
    container_network: Text | None = None
    container_storage_network: Text | None = None
    zone_uuid: UUID | None = None


class UpdateCenterAsked(Named, frozen=True, kw_only=True):
    """What is to be otherwise of a centre."""

    name: Name | None = None
    url: Path | None = None
    management_ip: Short | None = None
    management_port: Port | None = None
    description: Text | None = None
    parameters: Text | None = None
    storage_network_uuid: UUID | None = None
    service_network_uuid: UUID | None = None
    container_registry: Text | None = None
    container_network: Text | None = None
    container_storage_network: Text | None = None
    zone_uuid: UUID | None = None


class OfCenters(Wire, frozen=True, kw_only=True, rename="camel"):
    """Which centres."""

    model_center_uuids: Annotated[tuple[UUID, ...], Meta(max_length=1000)]


class CapacityShape(Shape, frozen=True, kw_only=True):
    """What is in use of a centre, in bytes."""

    uuid: str
    model_used_capacity: int
    model_service_used_capacity: int
    dataset_used_capacity: int
    fine_tune_used_capacity: int
    model_evaluation_used_capacity: int
    temporary_used_capacity: int
    cache_used_capacity: int


class CenterShape(Shape, frozen=True, kw_only=True):
    """A centre."""

    uuid: str
    name: str
    description: str | None = None
    url: str
    status: str
    parameters: str | None = None
    management_ip: str | None = None
    management_port: int | None = None
    storage_network_uuid: str | None = None
    service_network_uuid: str | None = None
    container_registry: str | None = None
    container_network: str | None = None
    container_storage_network: str | None = None
    capacity: CapacityShape
    create_date: str
    last_op_date: str


class Centers:
    """The calls. Centres lie in the directories `roots`; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta, roots: Collection[str]) -> None:
        self._utc_offset = utc_offset
        self._roots = roots
        self._services = ServiceShapes(utc_offset)

    def add(self, tx: Write, caller: Caller, asked: AddCenterAsked) -> Result:
        """A new centre, which nobody has looked at yet."""
        made = stores.create(tx, caller, _new(asked), roots=self._roots, tags=asked.marks)
        return {"inventory": self._shape(made)}

    def update(self, tx: Write, caller: Caller, asked: UpdateCenterAsked) -> Result:
        """The centre as it is then."""
        uuid, to = asked.meant, _change(asked)
        after = stores.change(tx, caller, uuid, to=to, roots=self._roots, users=services.STORE_USERS)
        return {"inventory": self._shape(after)}

    def services(self, tx: Read, caller: Caller, asked: OfCenters) -> Result:
        """The model services that lie in the centres."""
        found = services.of_stores(tx, caller, asked.model_center_uuids)
        return {"inventories": self._services.page(tx, caller, found)}

    def listing(self) -> Listing:
        """How queries are answered."""
        return Listing(
            inventory=CENTER,
            rows=stores.LISTING.page,
            shapes=self._page,
            summed=lambda tx, caller, query, of: stores.LISTING.summed(tx, caller, query, of=of),
        )

    def _page(self, _tx: Read, _caller: Caller, found: Sequence[ModelStore]) -> Sequence[CenterShape]:
        return [self._shape(store) for store in found]

    def _shape(self, store: ModelStore) -> CenterShape:
        return CenterShape(
            uuid=store.uuid.hex,
            name=store.name,
            description=store.description,
            url=store.url,
            status=word_of(STATUSES, store.state.value),
            parameters=store.parameters,
            management_ip=store.management_ip,
            management_port=store.management_port,
            storage_network_uuid=hex_of(store.storage_network),
            service_network_uuid=hex_of(store.service_network),
            container_registry=store.container_registry,
            container_network=store.container_network,
            container_storage_network=store.container_storage_network,
            capacity=_capacity(store),
            create_date=time_text(store.created_at, self._utc_offset),
            last_op_date=time_text(store.changed_at, self._utc_offset),
        )


def delete(tx: Write, caller: Caller, asked: Deleting) -> Result:
    """The centre is gone, which nothing lies in; its directory stays."""
    return deleted(asked, lambda uuid: stores.delete(tx, caller, uuid, users=services.STORE_USERS))


def apis(utc_offset: timedelta, roots: Collection[str]) -> tuple[Api, ...]:
    """The calls."""
    calls = Centers(utc_offset, roots)
    return (
        Api(
            name="QueryModelCenter",
            places=queried_at("/ai/model-centers"),
            handler=calls.listing(),
            mark=Mark.COMPANION,
            summary="Model centres: the project's own and public ones, all for an administrator",
        ),
        Api(
            name="AddModelCenter",
            places=(at("POST", "/ai/model-centers"),),
            handler=Job(do=calls.add),
            mark=Mark.COMPANION,
            summary="A directory that models may lie in, as a centre",
            shape=AddCenterAsked,
        ),
        Api(
            name="UpdateModelCenter",
            places=(at("PUT", "/ai/model-centers/{uuid}"),),
            handler=Job(do=calls.update),
            mark=Mark.COMPANION,
            summary="Change what is said of a centre",
            shape=UpdateCenterAsked,
        ),
        Api(
            name="DeleteModelCenter",
            places=(at("DELETE", "/ai/model-centers/{uuid}"),),
            handler=Job(do=delete),
            mark=Mark.COMPANION,
            summary="Delete an empty centre",
            shape=Deleting,
        ),
        Api(
            name="GetModelCenterServices",
            places=(at("GET", "/ai/model-centers/services"),),
            handler=Look(look=calls.services, grows=True),
            mark=Mark.BEYOND,
            summary="The model services of some centres",
            shape=OfCenters,
        ),
    )


def _new(asked: AddCenterAsked) -> NewModelStore:
    return NewModelStore(
        name=asked.name,
        url=asked.url,
        uuid=asked.chosen,
        description=asked.description,
        parameters=asked.parameters,
        management_ip=asked.management_ip,
        management_port=asked.management_port,
        storage_network=asked.storage_network_uuid,
        service_network=asked.service_network_uuid,
        container_registry=asked.container_registry,
        container_network=asked.container_network,
        container_storage_network=asked.container_storage_network,
        zone=asked.zone_uuid,
    )


def _change(asked: UpdateCenterAsked) -> ModelStoreChange:
    return ModelStoreChange(
        name=asked.name,
        url=asked.url,
        description=asked.description,
        parameters=asked.parameters,
        management_ip=asked.management_ip,
        management_port=asked.management_port,
        storage_network=asked.storage_network_uuid,
        service_network=asked.service_network_uuid,
        container_registry=asked.container_registry,
        container_network=asked.container_network,
        container_storage_network=asked.container_storage_network,
        zone=asked.zone_uuid,
    )


def _capacity(store: ModelStore) -> CapacityShape:
    used = store.capacity
    return CapacityShape(
        uuid=store.uuid.hex,
        model_used_capacity=used.models,
        model_service_used_capacity=used.services,
        dataset_used_capacity=used.datasets,
        fine_tune_used_capacity=used.fine_tunes,
        model_evaluation_used_capacity=used.evaluations,
        temporary_used_capacity=used.temporary,
        cache_used_capacity=used.cache,
    )
