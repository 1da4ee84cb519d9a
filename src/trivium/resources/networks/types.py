"""Networks as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from trivium.base.values import Value


class NetworkPhase(StrEnum):
    """How far a network has come."""

    ACTIVE = "active"
    DELETING = "deleting"


class NewNetwork(Value, frozen=True, kw_only=True):
    """What a caller asks for in a new network."""

    title: str
    cidr: str
    description: str = ""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    connection: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    workspace: int = 0  # the default one


class Network(Value, frozen=True):
    """One network. Its nodes are this machine's, so nothing but addresses is given out of it."""

    id: int
    uuid: UUID
    project: int
    title: str  # what people call it
    name: str  # <title>-<32 hex>: unique in the site
    cidr: str
    description: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    connection: Mapping[str, Any]  # what the caller wants it joined to, as it was told
    phase: NetworkPhase
    pools: int  # that use it
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    workspace: int = 0  # of its project; 0 is the default one
