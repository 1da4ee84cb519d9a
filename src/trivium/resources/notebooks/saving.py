"""Saving a notebook's environment as an image while the notebook runs on."""

from __future__ import annotations

from trivium.base.caller import Caller
from trivium.base.site import Site
from trivium.resources import events, images, operations
from trivium.resources.images import Image, SaveAs
from trivium.resources.notebooks.changes import change, own
from trivium.resources.notebooks.errors import NotRunning
from trivium.resources.notebooks.service import WORKER
from trivium.resources.notebooks.types import Status
from trivium.store import Write


def save(tx: Write, caller: Caller, site: Site, *, notebook: int, as_: SaveAs) -> Image:
    """Ask for a running notebook's environment to be kept as an image; it is saving until that is done, and runs on.

    If it cannot be saved, the image has failed and the notebook runs on, both with the reason.

    Raises `NoSuchNotebook`, `NotRunning`, and what `images.start_save` raises: `Invalid`, `ImageExists`,
    `NoSuchWorkspace`.
    """
    before = own(tx, caller, notebook)
    if before.status is not Status.RUNNING:
        raise NotRunning(status=before.status.value)
    saved = images.start_save(
        tx,
        caller,
        site,
        of=images.get_any(tx, before.image),
        notebook=before.id,
        notebook_name=before.name,
        host=before.host,
        as_=as_,
    )
    operation = operations.start(tx, caller, "notebook.save", target=before.id)
    change(tx, before, save_as=saved.uuid, operation=operation.id, reason=None)
    events.record(tx, caller, "notebook.save", target=before.id, after={"image": saved.path})
    tx.wake(WORKER)
    return saved
