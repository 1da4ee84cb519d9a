"""Pools and flavors as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from trivium.base.values import Value

CPU: Final = "cpu"
"""The kind of a flavor that has no accelerator; one unit of it is counted in cores."""


class PoolPhase(StrEnum):
    """How far a pool has come, and whether all of its nodes are there."""

    CREATING = "creating"
    RUNNING = "running"
    ABNORMAL = "abnormal"  # some node of it is not ready
    DELETING = "deleting"
    ERROR = "error"


class Scope(StrEnum):
    """What a pool may be used for."""

    TRAIN = "train"
    INFER = "infer"
    NOTEBOOK = "notebook"


class PoolDetails(Value, frozen=True, kw_only=True):
    """What people say of a pool."""

    description: str = ""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    annotations: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    scope: tuple[Scope, ...] = (Scope.NOTEBOOK,)


class Pool(Value, frozen=True):
    """A share of the site's capacity under one name."""

    id: int
    uuid: UUID
    name: str  # what SCNet calls a group's code and ModelArts metadata.name
    short: int  # below 2^53: SCNet's resourceGroupId
    project: int | None  # None: everyone may use it
    title: str  # what people call it
    details: PoolDetails
    phase: PoolPhase
    network: int | None
    node_prefix: str  # what its nodes' names begin with
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    workspace: int = 0  # of its project; 0 is the default one


class Flavor(Value, frozen=True):
    """What one unit of a pool gives: with an accelerator of `kind`, or cores and memory alone (`CPU`)."""

    id: int
    pool: int
    short: int  # SCNet's record id of an accelerator resource
    kind: str
    model: str  # what people call the accelerator, or the processor
    device_memory: int  # bytes of one accelerator; 0 where there is none or it is not known
    millicores: int
    memory: int  # bytes
    declared: bool  # the accelerator stands in the configuration; nothing on the machine confirms it
