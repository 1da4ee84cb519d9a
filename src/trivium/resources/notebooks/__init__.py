"""Notebooks: asked for by services, brought about by a worker, reached through links."""

from trivium.resources.notebooks.custom import CustomStarted, custom_link, start_custom
from trivium.resources.notebooks.errors import (
    BadMount,
    BadName,
    MountRefused,
    NoFlavor,
    NoSuchNotebook,
    NotReleasable,
    NotRunning,
    NotStartable,
    NotStoppable,
    RuntimeUnavailable,
    UserNotSeparable,
)
from trivium.resources.notebooks.holdings import NotebookHoldings
from trivium.resources.notebooks.links import (
    BadGrant,
    Entry,
    Link,
    Route,
    Use,
    link,
    open_door,
    pass_for,
    still_open,
)
from trivium.resources.notebooks.listing import by_ids, list_notebooks, list_stamps
from trivium.resources.notebooks.outcomes import apply_limits, forget_host, is_any_on
from trivium.resources.notebooks.service import (
    by_status,
    create,
    get,
    host_of,
    release,
    rename,
    save_and_stop,
    start,
    stop,
)
from trivium.resources.notebooks.steps import World
from trivium.resources.notebooks.table import NOTEBOOKS
from trivium.resources.notebooks.types import Found, Notebook, NotebookSpec, Resources, Status, Wanted
from trivium.resources.notebooks.unused_layers import drop_unused_layers
from trivium.resources.notebooks.worker import NotebookWorker

__all__ = [
    "NOTEBOOKS",
    "BadGrant",
    "BadMount",
    "BadName",
    "CustomStarted",
    "Entry",
    "Found",
    "Link",
    "MountRefused",
    "NoFlavor",
    "NoSuchNotebook",
    "NotReleasable",
    "NotRunning",
    "NotStartable",
    "NotStoppable",
    "Notebook",
    "NotebookHoldings",
    "NotebookSpec",
    "NotebookWorker",
    "Resources",
    "Route",
    "RuntimeUnavailable",
    "Status",
    "Use",
    "UserNotSeparable",
    "Wanted",
    "World",
    "apply_limits",
    "by_ids",
    "by_status",
    "create",
    "custom_link",
    "drop_unused_layers",
    "forget_host",
    "get",
    "host_of",
    "is_any_on",
    "link",
    "list_notebooks",
    "list_stamps",
    "open_door",
    "pass_for",
    "release",
    "rename",
    "save_and_stop",
    "start",
    "start_custom",
    "still_open",
    "stop",
]
