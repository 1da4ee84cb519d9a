"""What belongs to each of several models, services or groups, found with one look for a whole page of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Column

from trivium.base.caller import Caller
from trivium.resources.owning import Listing
from trivium.resources.services.resources import (
    DATASET_REF_LISTING,
    IMAGE_LISTING,
    INSTANCE_LISTING,
    REF_LISTING,
    SERVICE_LISTING,
)
from trivium.resources.services.table import dataset_refs, images, instances, refs, services
from trivium.resources.services.types import DatasetRef, ModelService, ServiceImage, ServiceInstance, ServiceRef
from trivium.store import Read

T = TypeVar("T")

AT_ONCE: Final = 1000
"""Things that one look is for: databases take so many values, and a longer page is looked up in parts."""


def refs_of_models(tx: Read, caller: Caller, uuids: Sequence[UUID]) -> Mapping[UUID, Collection[ServiceRef]]:
    """The bindings of each of these models that the caller sees, oldest first."""
    return _by(REF_LISTING, refs.c.model_uuid, tx, caller=caller, values=uuids)


def refs_of_services(tx: Read, caller: Caller, uuids: Sequence[UUID]) -> Mapping[UUID, Collection[ServiceRef]]:
    """The same of each of these services."""
    return _by(REF_LISTING, refs.c.service_uuid, tx, caller=caller, values=uuids)


def images_of_services(tx: Read, caller: Caller, uuids: Sequence[UUID]) -> Mapping[UUID, Collection[ServiceImage]]:
    """The images of each of these services, oldest first."""
    return _by(IMAGE_LISTING, images.c.service_uuid, tx, caller=caller, values=uuids)


def instances_of_groups(tx: Read, caller: Caller, uuids: Sequence[UUID]) -> Mapping[UUID, Collection[ServiceInstance]]:
    """The instances of each of these groups, oldest first."""
    return _by(INSTANCE_LISTING, instances.c.group_uuid, tx, caller=caller, values=uuids)


def datasets_of_groups(tx: Read, caller: Caller, uuids: Sequence[UUID]) -> Mapping[UUID, Collection[DatasetRef]]:
    """Which datasets each of these groups has, oldest first."""
    return _by(DATASET_REF_LISTING, dataset_refs.c.group_uuid, tx, caller=caller, values=uuids)


def of_stores(tx: Read, caller: Caller, stores: Sequence[UUID]) -> Sequence[ModelService]:
    """The services in these stores that the caller sees, store by store, oldest first."""
    found = _by(SERVICE_LISTING, services.c.store_uuid, tx, caller=caller, values=list(dict.fromkeys(stores)))
    return [service for several in found.values() for service in several]


def _by(
    listing: Listing[T], column: Column[Any], tx: Read, *, caller: Caller, values: Sequence[UUID]
) -> Mapping[UUID, Collection[T]]:
    found: dict[UUID, Collection[T]] = {}
    for start in range(0, len(values), AT_ONCE):
        found |= listing.by(tx, caller, column, values=values[start : start + AT_ONCE])
    return found
