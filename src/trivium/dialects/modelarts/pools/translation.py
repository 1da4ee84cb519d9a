"""Between what ModelArts' clients say of pools and node pools and what the rooms say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Condition, Offset, Op, Order, Query
from trivium.base.values import Value
from trivium.dialects.modelarts import objects, selectors
from trivium.dialects.modelarts.errors import BadNodePoolName, NotHere
from trivium.dialects.modelarts.objects import Metadata
from trivium.dialects.modelarts.pools.shapes import (
    CreateNodePoolBody,
    CreatePoolBody,
    NamedNetwork,
    NodePoolResources,
    NodePoolShape,
    NodePoolSpec,
    NodePoolStatus,
    PoolResources,
    PoolShape,
    PoolSpec,
    PoolsQuery,
    PoolStatus,
    ResourceBody,
    ResourceShape,
    ScopeShape,
    ZoneCount,
)
from trivium.dialects.modelarts.selectors import Requirement
from trivium.dialects.modelarts.spelling import Text, bare, dashed, one_of, rfc3339
from trivium.dialects.modelarts.workspaces import workspace_id
from trivium.dialects.operation import Read
from trivium.resources import labels, networks, operations, projects, shares, workspaces
from trivium.resources.networks import Network
from trivium.resources.pools import Pool, PoolDetails, PoolPhase, Scope
from trivium.resources.shares import NewNodePool, NewPool, NodePool, NodePoolCount
from trivium.resources.tags import Tag

MOST: Final = 1000
DEDICATED: Final = "Dedicate"
TYPES: Final = (DEDICATED, "Logical")
TITLE: Final = re.compile(r"[a-z][-a-z0-9]{1,28}[a-z0-9]")
"""What a pool can be called: with the project's id, metadata.name has 36 to 63 characters."""

NAME: Final = re.compile(r"[a-z](?!.*-default$)[a-z0-9-]{0,48}[a-z0-9]")
DEFAULT: Final = "-Default"
PREFIX: Final = "os.modelarts/node.prefix"
TAGS: Final = "os.modelarts/tms.tags"
ORDER: Final = "os.modelarts/order.name"
SHOWN: Final = (objects.NAME, objects.WORKSPACE, objects.RESOURCE, objects.PROJECT, PREFIX, ORDER)
"""Labels that pools have by themselves."""

SCOPES: Final = {"Train": Scope.TRAIN, "Infer": Scope.INFER, "Notebook": Scope.NOTEBOOK}
WORDS: Final = {scope: word for word, scope in SCOPES.items()}
PHASES: Final = {phase: phase.value.capitalize() for phase in PoolPhase}
STATUSES: Final[Mapping[str, tuple[PoolPhase, ...]]] = {
    "created": (PoolPhase.RUNNING, PoolPhase.ABNORMAL),
    "failed": (PoolPhase.ERROR,),
    "creating": (PoolPhase.CREATING,),
}
NEWEST: Final = Query(order=(Order(field="id", descending=True),), page=Offset(limit=1), total=False)

Parts: TypeAlias = "Sequence[tuple[NodePool, NodePoolCount]]"


class Facts(Value, frozen=True):
    """What is shown with a pool from outside of its row."""

    parts: Parts
    network: Network | None
    project: str
    order: str  # the last change of it
    tags: tuple[Tag, ...] = ()
    workspace: UUID | None = None


def facts_of(tx: Read, caller: Caller, pool: Pool, *, parts: Parts | None = None) -> Facts:
    """What is shown with a pool; of one that was deleted its parts are given."""
    changes = operations.of_targets(tx, (pool.id,), asked=NEWEST).rows
    return Facts(
        parts=shares.node_pools(tx, caller, pool.name) if parts is None else parts,
        network=network_of(tx, pool),
        project="" if pool.project is None else bare(projects.get(tx, pool.project).uuid),
        order=dashed(changes[0].uuid) if changes else "",
        tags=tuple(shares.tags_of_many(tx, (pool.id,))[pool.id]),
        workspace=workspaces.uuids_of(tx, (pool.workspace,)).get(pool.workspace),
    )


def network_of(tx: Read, pool: Pool) -> Network | None:
    """The network of a pool."""
    return None if pool.network is None else networks.get(tx, pool.network)


def pools_query(asked: PoolsQuery, workspace: int | None) -> Query:
    """The pools that are asked for. `NotOneOf`."""
    where = (*in_phases(one_of(asked.status, "status", STATUSES)), *in_workspace(workspace))
    return Query(where=where, order=objects.OLDEST_FIRST, page=Offset(limit=MOST), total=False)


def selector_parts(text: Text) -> tuple[tuple[labels.Requirement, ...], tuple[Requirement, ...]]:
    """What a selector asks of the labels that pools were made with, and of those that they are shown with besides."""
    every = selectors.parse(text)
    kept = tuple(one for one in every if one.key not in SHOWN)
    return objects.kept(kept), tuple(one for one in every if one.key in SHOWN)


def in_phases(status: str | None) -> tuple[Condition, ...]:
    """What must hold of the pools of a status; nothing where none is asked for."""
    if status is None:
        return ()
    return (Condition(field="phase", op=Op.IN, value=tuple(phase.value for phase in STATUSES[status])),)


def in_workspace(workspace: int | None) -> tuple[Condition, ...]:
    """What must hold of the pools of a workspace; nothing where none is meant."""
    return () if workspace is None else (Condition(field="workspace", op=Op.EQ, value=workspace),)


def pool_shape(pool: Pool, facts: Facts, zone: str) -> PoolShape:
    """The pool as ModelArts shows it."""
    details = pool.details
    own = {objects.NAME: pool.title or pool.name, objects.WORKSPACE: workspace_id(facts.workspace), **details.labels}
    own |= {objects.RESOURCE: dashed(pool.uuid), PREFIX: pool.node_prefix}
    own |= {name: text for name, text in ((objects.PROJECT, facts.project), (ORDER, facts.order)) if text}
    scope = tuple(WORDS[one] for one in details.scope)
    ready = tuple(counted(part, there.ready, zone) for part, there in facts.parts if there.ready)
    unready = tuple(counted(part, there.unready, zone) for part, there in facts.parts if there.unready)
    net = facts.network
    return PoolShape(
        kind="Pool",
        api_version="v2",
        metadata=Metadata(
            name=pool.name,
            creation_timestamp=rfc3339(pool.created_at),
            deletion_timestamp=objects.shown_at(pool.deleted_at),
            labels=own,
            annotations=objects.said(details.annotations, details.description) | _told(facts.tags),
        ),
        spec=PoolSpec(
            type=DEDICATED,
            scope=scope,
            resources=tuple(wanted(part) for part, _ in facts.parts),
            network=NamedNetwork(name=net.name, vpc_id=dashed(net.uuid), subnet_id=dashed(net.uuid)) if net else None,
        ),
        status=PoolStatus(
            phase=PHASES[pool.phase],
            scope=tuple(ScopeShape(scope_type=word, state="Enabled") for word in scope),
            resources=PoolResources(creating=(), available=ready, abnormal=unready, deleting=()),
            root=pool.name,
        ),
    )


def node_pool_shape(part: NodePool, there: NodePoolCount, network: Network | None, *, zone: str) -> NodePoolShape:
    """The node pool as ModelArts shows it."""
    return NodePoolShape(
        kind="NodePool",
        api_version="v2",
        metadata=Metadata(name=part.name, annotations=objects.said(part.annotations, "")),
        spec=NodePoolSpec(resources=wanted(part, network)),
        status=NodePoolStatus(
            resources=NodePoolResources(
                available=counted(part, there.ready, zone),
                abnormal=counted(part, there.unready, zone) if there.unready else None,
            )
        ),
    )


def wanted(part: NodePool, network: Network | None = None) -> ResourceShape:
    """How many nodes a node pool shall have."""
    return ResourceShape(
        node_pool=part.name,
        flavor=objects.flavor_name(part.flavor),
        count=part.count,
        max_count=part.max_count,
        network=objects.host_network(network),
    )


def counted(part: NodePool, count: int, zone: str) -> ResourceShape:
    """So many nodes of a node pool, which are all in one zone."""
    return ResourceShape(
        node_pool=part.name,
        flavor=objects.flavor_name(part.flavor),
        count=count,
        max_count=part.max_count,
        azs=(ZoneCount(az=zone, count=count),),
    )


def new_pool(body: CreatePoolBody, workspace: int) -> NewPool:
    """What is asked for. `Invalid`, `NotHere`."""
    if one_of(body.spec.type, "spec.type", TYPES) != DEDICATED or body.spec.type != DEDICATED:
        raise NotHere(what="a pool of type Logical")
    refuse_driver(body.spec.driver)
    told = objects.given_labels(body.metadata.labels)
    annotations, description = objects.split_description(body.metadata.annotations)
    given = {key: value for key, value in told.items() if key != PREFIX}
    return NewPool(
        title=_title(told.get(objects.NAME, "")),
        details=PoolDetails(
            description=description, labels=given, annotations=annotations, scope=scopes(body.spec.scope)
        ),
        node_pools=tuple(new_part(one) for one in body.spec.resources),
        network=body.spec.network.name,
        node_prefix=told.get(PREFIX) or "node",
        workspace=workspace,
    )


def new_part(asked: ResourceBody, name: str | None = None) -> NewNodePool:
    """A node pool of a new pool, called after its flavor where it has no name."""
    called = name or asked.nodePool or default_name(asked)
    flavor = objects.core_flavor(asked.flavor)
    return NewNodePool(flavor=flavor, count=asked.count, name=called, max_count=asked.maxCount)


def new_node_pool(body: CreateNodePoolBody) -> NewNodePool:
    """A node pool for a pool that is there. `BadNodePoolName`, `Invalid`, `NotHere`."""
    if not NAME.fullmatch(body.metadata.name):
        raise BadNodePoolName("metadata.name")
    asked = body.spec.resources
    if asked.count < 1:
        message = "must be at least 1"
        raise Invalid("spec.resources.count", message)
    annotations, _ = objects.split_description(body.metadata.annotations)
    return NewNodePool(
        flavor=objects.core_flavor(asked.flavor),
        count=asked.count,
        name=body.metadata.name,
        max_count=asked.maxCount,
        annotations=annotations,
    )


def default_name(asked: ResourceBody) -> str:
    """What a node pool is called that nobody gave a name."""
    return objects.flavor_name(objects.core_flavor(asked.flavor)) + DEFAULT


def scopes(words: Sequence[str]) -> tuple[Scope, ...]:
    """What a pool may be used for. `Invalid`."""
    found = [one_of(word, "spec.scope", SCOPES) for word in words]
    return tuple(dict.fromkeys(SCOPES[word] for word in found if word))


def part_named(parts: Sequence[NodePool], asked: ResourceBody) -> NodePool | None:
    """The node pool that is meant: by its name, or the only one of the flavor; None for a new one."""
    named = [part for part in parts if part.name == (asked.nodePool or default_name(asked))]
    alike = [part for part in parts if part.flavor == objects.core_flavor(asked.flavor)]
    if named or asked.nodePool:
        return named[0] if named else None
    return alike[0] if len(alike) == 1 else None


def refuse_driver(driver: object) -> None:
    """Raise `NotHere` where a driver of accelerators is asked for."""
    if driver:
        raise NotHere(what="choosing a driver of accelerators")


def document_of(pool: Pool, parts: Sequence[NodePool]) -> dict[str, Any]:
    """What can be changed of a pool, as it is."""
    resources = [
        {"nodePool": one.name, "flavor": objects.flavor_name(one.flavor), "count": one.count, "maxCount": one.max_count}
        for one in parts
    ]
    return {
        "metadata": {"annotations": objects.said(pool.details.annotations, pool.details.description)},
        "spec": {"scope": [WORDS[one] for one in pool.details.scope], "resources": resources},
    }


def document_of_part(part: NodePool) -> dict[str, Any]:
    """What can be changed of a node pool, as it is."""
    resources = {"flavor": objects.flavor_name(part.flavor), "count": part.count, "maxCount": part.max_count}
    return {"metadata": {"annotations": objects.said(part.annotations, "")}, "spec": {"resources": resources}}


def _title(title: str) -> str:
    if not TITLE.fullmatch(title):
        message = "must have 3 to 30 small letters, digits and -, begin with a letter and not end with -"
        raise Invalid(f"metadata.labels.{objects.NAME}", message)
    return title


def _told(tags: Sequence[Tag]) -> dict[str, str]:
    """The tags, as JSON in an annotation."""
    return {TAGS: msgspec.json.encode([{"key": tag.key, "value": tag.value} for tag in tags]).decode()} if tags else {}
