"""Datasets, as entries of the catalogue. What they are for, and of what kind, is shown as system tags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta

from trivium.base.caller import Caller
from trivium.base.errors import Invalid, NotFound, TriviumError
from trivium.dialects.operation import Mark, Read, Wire, Write
from trivium.dialects.zstack import parameters
from trivium.dialects.zstack.apis import Api, Job, Listing, at, queried_at
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.dialects.zstack.things import (
    MOST,
    NAMING,
    ORDER,
    TAGS,
    TIMES,
    UUID_MEMBER,
    Deleting,
    DeletingMany,
    Name,
    Named,
    NewThing,
    Path,
    Text,
    deleted,
    deletions,
    result,
)
from trivium.resources import datasets, owning, transfers
from trivium.resources.datasets import Dataset, DatasetChange, DataType, NewDataset, Usage

DATASET: Final = Inventory(
    "Dataset",
    (
        UUID_MEMBER,
        *NAMING,
        Member(name="url", kind=Kind.STRING, field="url"),
        Member(name="installPath", kind=Kind.STRING, field="install_path"),
        Member(name="modelCenterUuid", kind=Kind.UUID, field="store_uuid"),
        Member(name="size", kind=Kind.LONG, field="size"),
        Member(name="system", kind=Kind.BOOLEAN, field="system"),
        *TIMES,
    ),
    links=(
        Link(name="modelCenter", to="ModelCenter", path="store"),
        Link(name="modelServiceInstanceGroup", to="ModelServiceInstanceGroup", path="refs.group"),
    ),
    tags=TAGS,
    order=ORDER,
)
"""A dataset."""

INVENTORIES: Final = (DATASET,)


class CreateDatasetAsked(NewThing, frozen=True, kw_only=True):
    """A new dataset. A `token` may come along, with which ZStack's server fetches files: nothing is fetched here."""

    name: Name
    url: Path
    model_center_uuid: UUID
    description: Text | None = None
    system: bool = False


class Changes(Named, frozen=True, kw_only=True):
    """What is to be otherwise of a dataset."""

    name: Name | None = None
    description: Text | None = None
    usage_scenarios: tuple[Usage, ...] | None = None
    data_type: DataType | None = None

    @property
    def change(self) -> DatasetChange:
        """The change that is asked for."""
        return DatasetChange(
            name=self.name, description=self.description, usages=self.usage_scenarios, data_type=self.data_type
        )


class UpdateDatasetsAsked(Wire, frozen=True, kw_only=True, rename="camel"):
    """What is to be otherwise of several datasets; of one that is there twice the last counts.

    Each is read for itself: one that cannot be read does not keep the others.
    """

    update_dataset_structs: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=MOST)]


class DatasetShape(Shape, frozen=True, kw_only=True):
    """A dataset."""

    uuid: str
    name: str
    description: str | None = None
    url: str
    install_path: str | None = None
    model_center_uuid: str
    size: int | None = None
    system: bool
    create_date: str
    last_op_date: str


class Datasets:
    """The calls that show datasets; times are told by the clock that is so far ahead of UTC."""

    def __init__(self, utc_offset: timedelta) -> None:
        self._utc_offset = utc_offset

    def create(self, tx: Write, caller: Caller, asked: CreateDatasetAsked) -> Result:
        """A new dataset."""
        new = NewDataset(
            name=asked.name,
            url=asked.url,
            store=asked.model_center_uuid,
            uuid=asked.chosen,
            description=asked.description,
            system=asked.system,
        )
        return {"inventory": self._shape(datasets.create(tx, caller, new, tags=asked.marks))}

    def update(self, tx: Write, caller: Caller, asked: Changes) -> Result:
        """The dataset as it is then."""
        return {"inventory": self._shape(datasets.change(tx, caller, asked.meant, to=asked.change))}

    def listing(self) -> Listing:
        """How queries are answered."""
        return Listing(
            inventory=DATASET,
            rows=datasets.LISTING.page,
            shapes=self._page,
            summed=lambda tx, caller, query, of: datasets.LISTING.summed(tx, caller, query, of=of),
        )

    def _page(self, _tx: Read, _caller: Caller, found: Sequence[Dataset]) -> Sequence[DatasetShape]:
        return [self._shape(dataset) for dataset in found]

    def _shape(self, dataset: Dataset) -> DatasetShape:
        return DatasetShape(
            uuid=dataset.uuid.hex,
            name=dataset.name,
            description=dataset.description,
            url=dataset.url,
            install_path=dataset.install_path,
            model_center_uuid=dataset.store.hex,
            size=dataset.size,
            system=dataset.system,
            create_date=time_text(dataset.created_at, self._utc_offset),
            last_op_date=time_text(dataset.changed_at, self._utc_offset),
        )


def update_many(tx: Write, caller: Caller, asked: UpdateDatasetsAsked) -> Result:
    """What became of each; one that cannot be changed does not keep the others."""
    told = {str(given.get("uuid", "")).lower(): given for given in asked.update_dataset_structs}
    return {"results": [result(text, _updated(tx, caller, given)) for text, given in told.items()]}


def _updated(tx: Write, caller: Caller, given: dict[str, Any]) -> TriviumError | None:
    """Change one dataset; why that was refused, if it was."""
    try:
        wanted = parameters.read_shape(Changes, given, "APIUpdateDatasetsMsg")
        uuid = wanted.meant
    except (Invalid, NotFound) as error:
        return error
    return owning.refusal_of(lambda: datasets.change(tx, caller, uuid, to=wanted.change))


def delete(tx: Write, caller: Caller, asked: Deleting) -> Result:
    """The dataset is gone from the catalogue; what it is made of stays."""
    mode = asked.delete_mode.deletion
    return deleted(asked, lambda uuid: datasets.delete(tx, caller, uuid, users=transfers.DATASET_USERS, mode=mode))


def delete_many(tx: Write, caller: Caller, asked: DeletingMany) -> Result:
    """What became of each."""
    mode = asked.delete_mode.deletion
    users = transfers.DATASET_USERS
    return deletions(asked, lambda uuids: datasets.delete_many(tx, caller, uuids, users=users, mode=mode))


def apis(utc_offset: timedelta) -> tuple[Api, ...]:
    """The calls."""
    calls = Datasets(utc_offset)
    return (
        Api(
            name="QueryDataset",
            places=queried_at("/ai/datasets"),
            handler=calls.listing(),
            mark=Mark.COMPANION,
            summary="Datasets: the project's own and public ones, all for an administrator",
        ),
        Api(
            name="CreateDataset",
            places=(at("POST", "/ai/datasets"),),
            handler=Job(do=calls.create),
            mark=Mark.COMPANION,
            summary="A dataset, as an entry of the catalogue",
            shape=CreateDatasetAsked,
        ),
        Api(
            name="UpdateDataset",
            places=(at("PUT", "/ai/datasets/{uuid}"),),
            handler=Job(do=calls.update),
            mark=Mark.COMPANION,
            summary="Change what is said of a dataset",
            shape=Changes,
        ),
        *_OF_MANY,
    )


_OF_MANY: Final = (
    Api(
        name="DeleteDataset",
        places=(at("DELETE", "/ai/datasets/{uuid}"),),
        handler=Job(do=delete),
        mark=Mark.COMPANION,
        summary="Take a dataset from the catalogue; what it is made of stays",
        shape=Deleting,
    ),
    Api(
        name="UpdateDatasets",
        places=(at("PUT", "/ai/datasets"),),
        handler=Job(do=update_many),
        mark=Mark.BEYOND,
        summary="Change what is said of several datasets",
        shape=UpdateDatasetsAsked,
    ),
    Api(
        name="DeleteDatasets",
        places=(at("DELETE", "/ai/datasets"),),
        handler=Job(do=delete_many),
        mark=Mark.BEYOND,
        summary="Take several datasets from the catalogue",
        shape=DeletingMany,
    ),
)
