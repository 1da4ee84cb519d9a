"""Domains and projects: what users and all they make belong to."""

from trivium.resources.projects.errors import ProjectDisabled, ProjectNameTaken, ProjectNotFound
from trivium.resources.projects.service import (
    DEFAULT_DOMAIN,
    create,
    ensure_domain,
    get,
    get_by_uuid,
    get_domain,
    lock,
    lock_accounts,
)
from trivium.resources.projects.table import domains, projects
from trivium.resources.projects.types import Domain, Project

__all__ = [
    "DEFAULT_DOMAIN",
    "Domain",
    "Project",
    "ProjectDisabled",
    "ProjectNameTaken",
    "ProjectNotFound",
    "create",
    "domains",
    "ensure_domain",
    "get",
    "get_by_uuid",
    "get_domain",
    "lock",
    "lock_accounts",
    "projects",
]
