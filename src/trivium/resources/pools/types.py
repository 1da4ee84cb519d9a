"""Pools and flavors as values."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from trivium.base.values import Value

CPU: Final = "cpu"
"""The kind of a flavor that has no accelerator; one unit of it is counted in cores."""


class Pool(Value, frozen=True):
    """A share of the site's capacity under one name."""

    id: int
    uuid: UUID
    name: str  # what SCNet calls a group's code and ModelArts metadata.name
    short: int  # below 2^53: SCNet's resourceGroupId
    project: int | None  # None: everyone may use it
    created_at: datetime


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
