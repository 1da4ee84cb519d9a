"""Bindings of models to services, which both models and services show."""

from __future__ import annotations

from typing import Final

from trivium.dialects.zstack.inventories import Inventory, Kind, Link, Member
from trivium.dialects.zstack.spelling import Shape
from trivium.dialects.zstack.things import UUID_MEMBER
from trivium.resources.services import ServiceRef

REF: Final = Inventory(
    "ModelServiceRef",
    (
        UUID_MEMBER,
        Member(name="modelUuid", kind=Kind.UUID, field="model_uuid"),
        Member(name="modelServiceUuid", kind=Kind.UUID, field="service_uuid"),
        Member(name="isDefault", kind=Kind.BOOLEAN, field="is_default"),
    ),
    links=(
        Link(name="model", to="Model", path="model"),
        Link(name="modelService", to="ModelService", path="service"),
    ),
)
"""A model's binding to a service. It is asked about across relations only."""


class RefShape(Shape, frozen=True, kw_only=True):
    """A model's binding to a service."""

    uuid: str
    model_uuid: str
    model_service_uuid: str
    is_default: bool


def ref_shape(ref: ServiceRef) -> RefShape:
    """What is shown of a binding."""
    return RefShape(
        uuid=ref.uuid.hex,
        model_uuid=ref.model.hex,
        model_service_uuid=ref.service.hex,
        is_default=ref.is_default,
    )
