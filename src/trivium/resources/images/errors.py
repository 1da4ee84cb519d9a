"""The images room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, Invalid, NotFound, WrongState


class EnvironmentRefused(Invalid):
    """The directory is no environment that a notebook could run in; the message says why."""

    code = "image.environment_refused"


class NoSuchImage(NotFound):
    """There is no such image that the caller may use."""

    code = "image.not_found"


class ImageExists(Conflict):
    """An image of that path is there already."""

    code = "image.exists"


class ImageChanged(Conflict):
    """What stands on disk is not what was added: the digest no longer matches."""

    code = "image.changed"


class ImageNotReady(WrongState):
    """The image is still being saved, saving it failed, or what it is made of is gone."""

    code = "image.not_ready"


class ImageOutOfReach(NotFound):
    """No image of that path is here for the caller; nothing is fetched from registries."""

    code = "image.out_of_reach"


class NoSuchImageGroup(NotFound):
    """There is no such group of images that the caller may see."""

    code = "image.group_not_found"
