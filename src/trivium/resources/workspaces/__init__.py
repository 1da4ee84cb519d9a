"""Workspaces: parts of a project by which its things are told apart. Every project has the default one."""

from trivium.resources.workspaces.errors import NoSuchWorkspace, WorkspaceInUse, WorkspaceIsDefault, WorkspaceNameTaken
from trivium.resources.workspaces.service import (
    create,
    delete,
    find,
    get,
    hidden,
    list_workspaces,
    lock_for_use,
    update,
    uuids_of,
)
from trivium.resources.workspaces.table import WORKSPACES
from trivium.resources.workspaces.types import DEFAULT, DEFAULT_NAME, Audience, Holdings, Workspace, WorkspaceChange

__all__ = [
    "DEFAULT",
    "DEFAULT_NAME",
    "WORKSPACES",
    "Audience",
    "Holdings",
    "NoSuchWorkspace",
    "Workspace",
    "WorkspaceChange",
    "WorkspaceInUse",
    "WorkspaceIsDefault",
    "WorkspaceNameTaken",
    "create",
    "delete",
    "find",
    "get",
    "hidden",
    "list_workspaces",
    "lock_for_use",
    "update",
    "uuids_of",
]
