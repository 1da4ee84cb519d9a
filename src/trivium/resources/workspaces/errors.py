"""The workspaces room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound, Unsupported, WrongState


class NoSuchWorkspace(NotFound):
    """There is no such workspace in the caller's project that they may use."""

    code = "workspace.not_found"


class WorkspaceNameTaken(Conflict):
    """The project has a workspace of that name."""

    code = "workspace.name_taken"


class WorkspaceInUse(WrongState):
    """Something is in the workspace, so it cannot be deleted."""

    code = "workspace.in_use"


class WorkspaceIsDefault(Unsupported):
    """The default workspace is a part of its project: it can be neither changed nor deleted."""

    code = "workspace.is_default"
