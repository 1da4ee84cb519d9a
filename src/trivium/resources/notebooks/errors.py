"""The notebooks room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, Invalid, NotFound, OverQuota, Unavailable, Unsupported, WrongState


class NoSuchNotebook(NotFound):
    """There is no such notebook that the caller may see."""

    code = "notebook.not_found"


class BadName(Invalid):
    """A notebook's name must have 1 to 128 characters and no control characters."""

    code = "notebook.bad_name"


class BadMount(Invalid):
    """A mount leaves the user's home, or hides what must be there."""

    code = "notebook.bad_mount"


class MountRefused(Unsupported):
    """This host cannot hold a mount as it was asked for."""

    code = "notebook.mount_refused"


class NotStartable(WrongState):
    """Only a notebook that is stopped or failed can be started."""

    code = "notebook.not_startable"


class NotStoppable(WrongState):
    """Only a notebook that runs or starts can be stopped."""

    code = "notebook.not_stoppable"


class NotReleasable(WrongState):
    """Only a settled notebook can be released."""

    code = "notebook.not_releasable"


class NotRunning(WrongState):
    """The notebook must be running for that."""

    code = "notebook.not_running"


class NotStopped(WrongState):
    """The notebook must be stopped, or have failed, for that."""

    code = "notebook.not_stopped"


class FreeTaken(Conflict):
    """The user has the one free notebook that a user may have."""

    code = "notebook.free_taken"


class IdleUnknown(Unsupported):
    """No runtime says whether a notebook is used, so a lease that ends when it is idle would never end."""

    code = "notebook.idle_unknown"


class VolumeShrinks(Invalid):
    """A volume's capacity may only grow."""

    code = "notebook.volume_shrinks"


class ImageElsewhere(Conflict):
    """The image is not on the host where the notebook's own packages are."""

    code = "notebook.image_elsewhere"


class NotAttachable(Unsupported):
    """Nothing can be shown to this notebook while it runs: it was not made for that, or its host cannot do it."""

    code = "notebook.not_attachable"


class TargetTaken(Conflict):
    """Something is shown at that place already, or is about to be."""

    code = "notebook.target_taken"


class TooManyMounts(OverQuota):
    """No more can be shown to the notebook."""

    code = "notebook.too_many_mounts"


class NoSuchAttachment(NotFound):
    """Nothing of that UUID is shown to the notebook."""

    code = "notebook.attachment_not_found"


class NoFlavor(OverQuota):
    """No pool that the caller may use has accelerators of that kind."""

    code = "notebook.no_flavor"


class UserNotSeparable(Unsupported):
    """Without root all notebooks share one uid, and another user has notebooks here already."""

    code = "notebook.user_not_separable"


class RuntimeUnavailable(Unavailable):
    """The runtime does not answer."""

    code = "notebook.runtime_unavailable"
