"""Application development services: the notebooks, to be looked at. The other dialects make and end them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from trivium.base.caller import Caller
from trivium.base.site import Site
from trivium.dialects.operation import Mark, Read
from trivium.dialects.zstack.apis import Api, Listing, queried_at
from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member, absent, word_of
from trivium.dialects.zstack.spelling import Shape, time_text
from trivium.resources import estate, notebooks
from trivium.resources.notebooks import Notebook, Status

STATUSES: Final[dict[str, str | tuple[str, ...]]] = {
    "Deploying": Status.CREATING.value,
    "Starting": Status.STARTING.value,
    "Running": (Status.RUNNING.value, Status.SAVING.value),
    "Stopping": Status.STOPPING.value,
    "Stopped": Status.STOPPED.value,
    "Failed": Status.FAILED.value,
}
DEPLOYMENTS: Final[dict[str, str | tuple[str, ...]]] = {
    "Deploying": (Status.CREATING.value, Status.STARTING.value),
    "Deployed": (Status.RUNNING.value, Status.SAVING.value, Status.STOPPING.value, Status.STOPPED.value),
    "Failed": Status.FAILED.value,
}
REACHED: Final = frozenset({Status.RUNNING, Status.SAVING})
"""Statuses in which JupyterLab answers."""

SERVICE: Final = "JupyterLab"
SERVICE_TYPE: Final = "App"
TYPE: Final = "Container"
"""The nearest of ZStack's types: a notebook has processes, limits and, where it can be, a view of files of its own."""

_UUID: Final = Member(name="uuid", kind=Kind.UUID, field="uuid")
_NAME: Final = Member(name="name", kind=Kind.STRING, field="name")
_STATUS: Final = Member(name="status", kind=Kind.WORD, field="status", words=STATUSES, sortable=False)
_TIMES: Final = (
    Member(name="createDate", kind=Kind.TIMESTAMP, field="created_at"),
    Member(name="lastOpDate", kind=Kind.TIMESTAMP, field="changed_at"),
)

DEVELOPMENT: Final = Inventory(
    "ApplicationDevelopmentService",
    (
        _UUID,
        _NAME,
        Member(name="description", kind=Kind.STRING, field="description"),
        _STATUS,
        Member(name="deploymentStatus", kind=Kind.WORD, field="status", words=DEPLOYMENTS, sortable=False),
        Member(name="service", kind=Kind.STRING, constant=SERVICE),
        Member(name="modelServiceType", kind=Kind.STRING, constant=SERVICE_TYPE),
        Member(name="type", kind=Kind.STRING, constant=TYPE),
        Member(name="instances", kind=Kind.OBJECTS),
        *absent(Kind.UUID, "modelServiceUuid", "modelUuid"),
        *absent(Kind.STRING, "yaml", "exportPath"),
        *absent(Kind.LIST, "supportMetrics", "datasetRefInventories"),
        *_TIMES,
    ),
    links=(
        Link(name="instances", to="ApplicationDevelopmentServiceInstance", path="itself"),
        Link(name="cluster", to="Cluster", path="pool"),
        Link(name="host", to="Host", path="node"),
        Link(name="zone", to="Zone", path="pool.site"),
    ),
)
"""A notebook. No model, service or dataset is behind one, so what a group says of them is absent."""

INSTANCE: Final = Inventory(
    "ApplicationDevelopmentServiceInstance",
    (_UUID, _NAME, Member(name="modelServiceGroupUuid", kind=Kind.UUID, field="uuid"), _STATUS, *_TIMES),
    links=(Link(name="host", to="Host", path="node"),),
)
"""What runs of a notebook: the notebook again, for it has one instance, of the same uuid."""

INVENTORIES: Final = (DEVELOPMENT, INSTANCE)


class InstanceShape(Shape, frozen=True, kw_only=True):
    """What runs of a notebook."""

    uuid: str
    name: str
    model_service_group_uuid: str
    status: str
    jupyter_url: str | None = None  # while it can be opened; who opens it shows by other means who they are
    create_date: str
    last_op_date: str


class DevelopmentShape(Shape, frozen=True, kw_only=True):
    """A notebook."""

    uuid: str
    name: str
    description: str | None = None
    status: str
    deployment_status: str
    service: str
    model_service_type: str
    type: str
    instances: list[InstanceShape]
    create_date: str
    last_op_date: str


def apis(site: Site) -> tuple[Api, ...]:
    """The call."""
    return (
        Api(
            name="QueryApplicationDevelopmentService",
            places=queried_at("/ai/model-services/app"),
            handler=Listing(inventory=DEVELOPMENT, rows=estate.list_notebooks, shapes=shapes(site)),
            mark=Mark.BEYOND,
            summary="The notebooks, with where each is opened",
        ),
    )


def shapes(site: Site) -> Callable[[Read, Caller, Sequence[Notebook]], Sequence[DevelopmentShape]]:
    """What is shown of notebooks of the site."""

    def shown(_tx: Read, _caller: Caller, found: Sequence[Notebook]) -> Sequence[DevelopmentShape]:
        return [_shape(notebook, site, site.utc_offset) for notebook in found]

    return shown


def _shape(notebook: Notebook, site: Site, utc_offset: timedelta) -> DevelopmentShape:
    status = word_of(STATUSES, notebook.status)
    made, changed = (time_text(at, utc_offset) for at in (notebook.created_at, notebook.changed_at))
    place = f"{notebooks.place(site, notebook.id, service=False)}lab"
    instance = InstanceShape(
        uuid=notebook.uuid.hex,
        name=notebook.name,
        model_service_group_uuid=notebook.uuid.hex,
        status=status,
        jupyter_url=place if notebook.status in REACHED else None,
        create_date=made,
        last_op_date=changed,
    )
    return DevelopmentShape(
        uuid=notebook.uuid.hex,
        name=notebook.name,
        description=notebook.description or None,
        status=status,
        deployment_status=word_of(DEPLOYMENTS, notebook.status),
        service=SERVICE,
        model_service_type=SERVICE_TYPE,
        type=TYPE,
        instances=[instance],
        create_date=made,
        last_op_date=changed,
    )
