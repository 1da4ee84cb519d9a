"""Workspaces as values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from trivium.base.values import Value
from trivium.store import Read

DEFAULT: Final = 0
"""The id of every project's default workspace, of which there is no row."""

DEFAULT_NAME: Final = "default"
"""What it is called; no other workspace may have that name."""


class Audience(StrEnum):
    """Who of a project may use a workspace."""

    PUBLIC = "public"  # everybody in the project
    PRIVATE = "private"  # its owner and administrators
    INTERNAL = "internal"  # these, and users whom they name: nobody can be named yet


class Workspace(Value, frozen=True):
    """One workspace of a project."""

    id: int
    uuid: UUID | None  # None: the default one
    project: int
    name: str
    description: str
    owner: int | None  # None: the default one belongs to nobody
    owner_name: str
    audience: Audience
    created_at: datetime
    changed_at: datetime


class WorkspaceChange(Value, frozen=True, kw_only=True):
    """What is to be another; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    audience: Audience | None = None


class Holdings(Protocol):
    """What a later room knows of a workspace that keeps it from being deleted."""

    def held_in(self, tx: Read, workspace: int) -> str | None:
        """What is in the workspace, as people read it ("2 notebooks"); None when nothing."""
        ...
