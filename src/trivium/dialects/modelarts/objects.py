"""What pools, node pools, nodes and networks have in common: objects like those of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from trivium.base.ids import uuid_of
from trivium.base.query import Order
from trivium.dialects.modelarts import selectors
from trivium.dialects.modelarts.errors import NotHere
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, rfc3339
from trivium.dialects.modelarts.workspaces import canonical
from trivium.dialects.operation import Wire
from trivium.resources.labels import Requirement, Selecting
from trivium.resources.networks import Network

NAME: Final = "os.modelarts/name"
WORKSPACE: Final = "os.modelarts/workspace.id"
RESOURCE: Final = "os.modelarts/resource.id"
PROJECT: Final = "os.modelarts/tenant.project.id"
DESCRIPTION: Final = "os.modelarts/description"
BILLING: Final = "os.modelarts/billing.mode"
ON_DEMAND: Final = "0"

OLDEST_FIRST: Final = (Order(field="id"),)
FLAVOR: Final = "modelarts.vm."


class Metadata(Shape, frozen=True, kw_only=True, rename="camel"):
    """What an object is called, and what is said of it."""

    name: str
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class FullMetadata(Shape, frozen=True, kw_only=True, rename="camel"):
    """The same where labels and annotations are there though there are none."""

    name: str
    creation_timestamp: str
    deletion_timestamp: str = ""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class HostNetwork(Shape, frozen=True, kw_only=True, rename="camel"):
    """What joins nodes; a network has one subnet, and no rules about who may send what to whom."""

    vpc: str
    subnet: str
    security_groups: tuple[str, ...]


class AnnotationsBody(Wire, frozen=True, kw_only=True):
    """What is said of an object that is changed."""

    annotations: Mapping[str, str] = {}


class ContinuedQuery(Wire, frozen=True, kw_only=True, rename={"place": "continue"}):
    """Which page of a list is wanted."""

    limit: int | None = None
    place: Text = None


def host_network(network: Network | None) -> HostNetwork | None:
    """The network of a pool, as its nodes show it."""
    if network is None:
        return None
    return HostNetwork(vpc=dashed(network.uuid), subnet=dashed(network.uuid), security_groups=())


def selector(text: Text) -> tuple[Requirement, ...]:
    """What the labels of things are held against. `BadSelector`."""
    return kept(selectors.parse(text))


def kept(asked: Iterable[selectors.Requirement]) -> tuple[Requirement, ...]:
    """The same, of a selector that was read."""
    return tuple(Requirement(key=one.key, how=Selecting(one.operator.value), values=one.values) for one in asked)


def said(annotations: Mapping[str, Any], description: str) -> dict[str, str]:
    """The annotations with the description among them."""
    found = {key: str(value) for key, value in annotations.items()}
    return found | {DESCRIPTION: description} if description else found


def split_description(annotations: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The annotations without the description, and the description. `NotHere` where a period is to be paid for."""
    if annotations.get(BILLING, ON_DEMAND) != ON_DEMAND:
        raise NotHere(what="paying for a period")
    return {key: value for key, value in annotations.items() if key != DESCRIPTION}, annotations.get(DESCRIPTION, "")


def given_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a new object gets, the workspace always among them, in its one spelling."""
    return {**labels, WORKSPACE: canonical(labels.get(WORKSPACE))}


def shown_at(at: datetime | None) -> str:
    """A time, where there is one."""
    return "" if at is None else rfc3339(at)


def flavor_name(core: str) -> str:
    """What a size of slices is called: `modelarts.vm.cpu.4u`."""
    return FLAVOR + core


def core_flavor(name: str) -> str:
    """The size that a name stands for."""
    return name.strip().removeprefix(FLAVOR)


def is_uuid(text: str, network: Network) -> bool:
    """Whether the text is the network's id, with dashes or without."""
    return uuid_of(text) == network.uuid


def resource_name(kind: str, model: str) -> str:
    """What Kubernetes calls accelerators."""
    if kind == "npu":
        return "huawei.com/ascend-snt3" if "310" in model else "huawei.com/ascend-snt9"
    return {"gpu": "nvidia.com/gpu", "dcu": "hygon.com/dcu", "mlu": "cambricon.com/mlu"}.get(kind, kind)
