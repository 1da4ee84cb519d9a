"""The errors of the room of services."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound


class NoSuchService(NotFound):
    """There is no such model service that the caller may see."""

    code = "model_service.not_found"


class ServiceInUse(Conflict):
    """Models are bound to the service, or instances of it are there."""

    code = "model_service.in_use"


class NotBound(NotFound):
    """The model is not bound to the service."""

    code = "model_service.not_bound"


class NoSuchGroup(NotFound):
    """There is no such group of instances that the caller may see."""

    code = "service_group.not_found"
