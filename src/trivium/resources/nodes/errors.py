"""The nodes room's errors."""

from __future__ import annotations

from trivium.base.errors import Invalid, NotFound, OverQuota, WrongState


class NoCapacity(OverQuota):
    """No node of the pool has as much free as is asked for."""

    code = "node.no_capacity"


class NoRoom(NoCapacity):
    """The machines cannot be cut into so many more nodes of the flavor."""

    code = "node.no_room"


class NoSuchNode(NotFound):
    """The pool has no such node."""

    code = "node.not_found"


class NodeInUse(WrongState):
    """Notebooks are placed on the node."""

    code = "node.in_use"


class NodeLocked(WrongState):
    """The node is locked against that."""

    code = "node.locked"


class NoSuchFlavor(Invalid):
    """The site's machines cannot be cut into slices of that flavor."""

    code = "flavor.not_found"
