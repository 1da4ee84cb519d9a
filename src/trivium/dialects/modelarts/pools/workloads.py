"""What runs in a pool, or is kept there: notebooks, which ModelArts calls workloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import structs

from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.dialects.modelarts import objects, quantities
from trivium.dialects.modelarts.notebooks.naming import flavor_id
from trivium.dialects.modelarts.pools.operations import ONE, POOL
from trivium.dialects.modelarts.spelling import Shape, Text, bare, dashed, milliseconds, one_of
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, always
from trivium.dialects.reading import OutOfBounds
from trivium.resources import nodes, notebooks, pools, projects
from trivium.resources.nodes import NodeDetail
from trivium.resources.notebooks import Notebook, Status
from trivium.resources.pools import CPU, Pool

MOST: Final = 500
FURTHEST: Final = 2_147_483_647
MOST_HOSTS: Final = 1000
MOST_AT_HOSTS: Final = 10_000
"""Workloads of the nodes that are named: more than machines have."""

NOTEBOOK: Final = "notebook"
TYPES: Final = ("train", "infer", NOTEBOOK, "x-infer")
SHOWN: Final[Mapping[Status, str]] = {
    Status.CREATING: "Creating",
    Status.STARTING: "Creating",
    Status.RUNNING: "Running",
    Status.SAVING: "Running",
    Status.STOPPING: "Terminating",
    Status.STOPPED: "Terminated",
    Status.FAILED: "Failed",
    Status.DELETING: "Terminating",
    Status.DELETED: "Terminated",
}
NEVER: Final = ("Queue", "Pending", "Abnormal", "Completed")
"""Words of ModelArts' that no notebook here has: what cannot be placed is refused, so nothing waits."""

WORDS: Final = (*dict.fromkeys(SHOWN.values()), *NEVER)
ENDED: Final = (Status.STOPPED, Status.FAILED, Status.DELETED)
"""What is on no node any more."""

CHIPS: Final = {"huawei.com/ascend-snt3": "huawei.com/ascend-310", "huawei.com/ascend-snt9": "huawei.com/ascend-1980"}
"""What workloads call the accelerators that nodes call otherwise."""

NEWEST_FIRST: Final = (Order(field="id", descending=True),)
OLDEST_FIRST: Final = (Order(field="id"),)


WIRE: Final = {
    "api_version": "apiVersion",
    "job_name": "jobName",
    "job_uuid": "jobUUID",
    "user_name": "userName",
    "resource_requirement": "resourceRequirement",
    "running_duration": "runningDuration",
    "pending_duration": "pendingDuration",
    "create_time": "createTime",
    "host_ips": "hostIps",
}


class WorkloadNode(Shape, frozen=True, kw_only=True, rename="camel"):
    """A node that a workload runs on, and what it has of it."""

    host_ip: str
    resource_requirement: Mapping[str, str]


class WorkloadShape(Shape, frozen=True, kw_only=True, rename=WIRE):
    """A workload: the notebook is the job, and what belongs to it, too."""

    api_version: str
    kind: str
    type: str
    namespace: str
    name: str
    job_name: str
    uid: str
    job_uuid: str
    flavor: str
    status: str
    user_name: str
    resource_requirement: Mapping[str, str]
    running_duration: int  # seconds
    pending_duration: int
    create_time: int
    host_ips: str = ""
    nodes: tuple[WorkloadNode, ...] = ()


class WorkloadList(Shape, frozen=True, kw_only=True, rename="camel"):
    """Workloads; the list says nothing of others that follow."""

    api_version: str
    kind: str
    items: list[WorkloadShape]


class TypeStatistics(Shape, frozen=True, kw_only=True):
    """How many workloads of a type there are, by status."""

    type: str
    total: int
    status: Mapping[str, int]


class WorkloadStatistics(Shape, frozen=True, kw_only=True):
    """The same of all types that there are, and how many these are."""

    total: int
    items: list[TypeStatistics]


class WorkloadStatisticsAnswer(Shape, frozen=True, kw_only=True):
    """The same, as it goes out."""

    statistics: WorkloadStatistics


class WorkloadsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; where nodes are named, all on them are told, without pages."""

    hostip: tuple[str, ...] = ()
    type: Text = None
    status: Text = None
    sort: Text = None
    ascend: bool | None = None
    offset: int | None = None
    limit: int | None = None


def workloads_query(asked: WorkloadsQuery) -> Query | None:
    """The notebooks that are asked for; None where there can be none. `NotOneOf`, `OutOfBounds`."""
    limit, offset = asked.limit or MOST, asked.offset or 0
    if not 1 <= limit <= MOST:
        raise OutOfBounds("limit", f"between 0 and {MOST}")
    if not 0 <= offset <= FURTHEST:
        raise OutOfBounds("offset", f"between 0 and {FURTHEST}")
    kind, word = one_of(asked.type, "type", TYPES), one_of(asked.status, "status", WORDS)
    sort = one_of(asked.sort, "sort", ("create_time",))
    if kind not in (None, NOTEBOOK) or word in NEVER:
        return None
    statuses = tuple(status.value for status, shown in SHOWN.items() if shown == word)
    where = (Condition(field="status", op=Op.IN, value=statuses),) if statuses else ()
    order = OLDEST_FIRST if sort and asked.ascend else NEWEST_FIRST
    return Query(where=where, order=order, page=Offset(limit=limit, offset=offset), total=False)


def workload_shape(notebook: Notebook, *, namespace: str, address: str, now: datetime) -> WorkloadShape:
    """A notebook as a workload, in its project as the namespace; without an address it is on no node."""
    id, requirement = dashed(notebook.uuid), _requirement(notebook)
    return WorkloadShape(
        api_version="v1",
        kind="Workload",
        type=NOTEBOOK,
        namespace=namespace,
        name=id,
        job_name=notebook.name,
        uid=id,
        job_uuid=id,
        flavor=flavor_id(notebook.resources.kind, notebook.resources.count),
        status=SHOWN[notebook.status],
        user_name=notebook.owner_name,
        resource_requirement=requirement,
        running_duration=_running(notebook, now),
        pending_duration=0,
        create_time=milliseconds(notebook.created_at),
        host_ips=address,
        nodes=(WorkloadNode(host_ip=address, resource_requirement=requirement),) if address else (),
    )


def list_workloads(tx: Read, call: Call[Nothing, WorkloadsQuery]) -> WorkloadList:
    """The notebooks that are in a pool, newest first: the project's, and for an administrator everybody's."""
    caller, wanted = call.caller, workloads_query(call.query)
    pool = pools.find_any(tx, caller, call.request.parameters[POOL])
    if wanted is not None and call.query.hostip:
        wanted = _on_nodes(wanted, nodes.at_addresses(tx, pool.id, _addresses(call.query.hostip)))
    found = () if wanted is None else notebooks.list_in_pool(tx, caller, pool.id, asked=wanted).rows
    return WorkloadList(api_version="v1", kind="WorkloadList", items=_shapes(tx, pool, found))


def show_workload_statistics(tx: Read, call: Call[Nothing, Nothing]) -> WorkloadStatisticsAnswer:
    """How many of the same there are, by status."""
    pool = pools.find_any(tx, call.caller, call.request.parameters[POOL])
    counts = dict.fromkeys(WORDS, 0)
    for status, number in notebooks.count_in_pool(tx, call.caller, pool.id).items():
        counts[SHOWN[status]] += number
    items = [TypeStatistics(type=NOTEBOOK, total=sum(counts.values()), status=counts)]
    return WorkloadStatisticsAnswer(statistics=WorkloadStatistics(total=len(items), items=items))


OPERATIONS: Final = (
    Operation(
        name="ListWorkloads",
        method="GET",
        path=f"{ONE}/workloads",
        handler=View(look=list_workloads, may_grow=always),
        mark=Mark.COMPANION,
        summary="The notebooks that are in a pool",
        query=WorkloadsQuery,
    ),
    Operation(
        name="ShowWorkloadStatistics",
        method="GET",
        path="/v2/{project_id}/statistics/pools/{pool_name}/workloads",
        handler=View(look=show_workload_statistics, may_grow=always),
        mark=Mark.COMPANION,
        summary="How many notebooks are in a pool, by their status",
    ),
)


def _addresses(given: Iterable[str]) -> list[str]:
    """Each may be several, with commas between."""
    return [part.strip() for text in given for part in text.split(",")]


def _on_nodes(wanted: Query, there: Sequence[int]) -> Query | None:
    """The same query of what is on these nodes, all of it at once; None without nodes. `OutOfBounds`."""
    if len(there) > MOST_HOSTS:
        raise OutOfBounds("hostip", f"at most {MOST_HOSTS} nodes")
    if not there:
        return None
    where = [Condition(field="node", op=Op.IN, value=tuple(there))]
    where += [Condition(field="status", op=Op.NE, value=status.value) for status in ENDED]
    return structs.replace(wanted, where=(*wanted.where, *where), page=Offset(limit=MOST_AT_HOSTS))


def _shapes(tx: Read, pool: Pool, found: Sequence[Notebook]) -> list[WorkloadShape]:
    placed = {notebook.node for notebook in found if notebook.node is not None and notebook.status not in ENDED}
    there = nodes.by_ids(tx, pool.id, [*placed])
    namespaces = {id: bare(projects.get(tx, id).uuid) for id in {notebook.project for notebook in found}}
    return [
        workload_shape(one, namespace=namespaces[one.project], address=_address(one, there), now=tx.now)
        for one in found
    ]


def _address(notebook: Notebook, there: Mapping[int, NodeDetail]) -> str:
    """The address of the node that it is on."""
    detail = None if notebook.node is None or notebook.status in ENDED else there.get(notebook.node)
    return "" if detail is None else detail.node.private_address or detail.node.address


def _requirement(notebook: Notebook) -> dict[str, str]:
    """What a notebook has, as Kubernetes writes it."""
    given = notebook.resources
    found = {"cpu": quantities.cores(given.millicores), "memory": quantities.memory(given.memory)}
    if given.kind != CPU:
        name = objects.resource_name(given.kind, given.model)
        found[CHIPS.get(name, name)] = str(given.count)
    return found


def _running(notebook: Notebook, now: datetime) -> int:
    """Seconds for which it runs, or ran the last time."""
    began, ended = notebook.started_at, notebook.stopped_at
    if began is None:
        return 0
    until = ended if notebook.status in ENDED and ended is not None else now
    return max(int((until - began).total_seconds()), 0)
