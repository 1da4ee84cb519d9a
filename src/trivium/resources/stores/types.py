"""Stores of models, which ZStack calls model centres: directories on disk that hold models, datasets and services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from trivium.base.values import Value


class StoreState(StrEnum):
    """Whether the directory can be read."""

    CONNECTED = "connected"
    CONNECTING = "connecting"  # nobody has looked yet
    DISCONNECTED = "disconnected"


class Sight(Value, frozen=True):
    """Which files somebody may have read, as it was when it was asked for: the innermost store around one decides."""

    stores: Mapping[bytes, bool] | None = None  # by their directories, whether they are seen; None: everything is

    def shows(self, directory: bytes) -> bool:
        """Whether the files in a directory may be read. It is absolute, without `.`, `..` and doubled slashes."""
        if self.stores is None:
            return True
        while directory and directory not in self.stores:
            directory = directory.rpartition(b"/")[0]
        return self.stores.get(directory or b"/", False)


EVERYTHING: Final = Sight()


class Hold(Value, frozen=True):
    """Which files somebody may delete, as it was when it was asked for: every store around one must be theirs.

    Whoever sees a store may make one of their own inside of it, so that the innermost alone says nothing.
    """

    stores: Mapping[bytes, bool] | None = None  # by their directories, whether all there are theirs; None: they all are

    def covers(self, directory: bytes) -> bool:
        """Whether files in a directory may be deleted. It is absolute, without `.`, `..` and doubled slashes."""
        if self.stores is None:
            return True
        around = [b"/", directory]
        while directory := directory.rpartition(b"/")[0]:
            around.append(directory)
        found = [self.stores[one] for one in around if one in self.stores]
        return bool(found) and all(found)


ALL: Final = Hold()


class NewModelStore(Value, frozen=True):
    """What a caller asks for in a new store."""

    name: str
    url: str  # /directory, file:///directory, or host:/directory of an export that is mounted at the same path
    uuid: UUID | None = None
    public: bool = False
    description: str | None = None
    parameters: str | None = None  # options of the mount
    management_ip: str | None = None
    management_port: int | None = None
    storage_network: UUID | None = None
    service_network: UUID | None = None
    container_registry: str | None = None
    container_network: str | None = None
    container_storage_network: str | None = None
    zone: UUID | None = None


class ModelStoreChange(Value, frozen=True):
    """What a caller asks to be otherwise; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    description: str | None = None
    parameters: str | None = None
    management_ip: str | None = None
    management_port: int | None = None
    storage_network: UUID | None = None
    service_network: UUID | None = None
    container_registry: str | None = None
    container_network: str | None = None
    container_storage_network: str | None = None
    zone: UUID | None = None


class Capacity(Value, frozen=True):
    """What of a store is in use, by what it is for, in bytes."""

    models: int = 0
    services: int = 0
    datasets: int = 0
    fine_tunes: int = 0
    evaluations: int = 0
    temporary: int = 0
    cache: int = 0


class ModelStore(Value, frozen=True):
    """One store."""

    id: int
    uuid: UUID
    project: int
    public: bool
    name: str
    description: str | None
    url: str
    host: str | None  # that the url names
    path: str  # the directory, on this machine
    state: StoreState
    parameters: str | None
    management_ip: str | None
    management_port: int | None
    storage_network: UUID | None
    service_network: UUID | None
    container_registry: str | None
    container_network: str | None
    container_storage_network: str | None
    zone: UUID | None
    capacity: Capacity
    created_at: datetime
    changed_at: datetime

    @property
    def hosts(self) -> frozenset[str]:
        """What may stand before a path in it as its host: that of its url, and the one that it is managed by."""
        return frozenset(host for host in (self.host, self.management_ip) if host is not None)
