"""What can be wrong with something new, whatever it is."""

from __future__ import annotations

from trivium.base.errors import Conflict


class UuidTaken(Conflict):
    """The uuid that the caller chose is another thing's."""

    code = "uuid.taken"
