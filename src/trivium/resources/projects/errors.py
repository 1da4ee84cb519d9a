"""What can go wrong with projects."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound, Unauthenticated


class ProjectNotFound(NotFound):
    """No such project that the caller may see."""

    code = "project.not_found"


class ProjectNameTaken(Conflict):
    """The owner has a project of that name."""

    code = "project.name_taken"


class ProjectDisabled(Unauthenticated):
    """The project is switched off: nobody gets in through it."""

    code = "project.disabled"
