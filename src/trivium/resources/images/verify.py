"""Whether an image is still what was added."""

from __future__ import annotations

from trivium.resources.images.errors import ImageChanged
from trivium.resources.images.ports import Environments
from trivium.resources.images.service import note_fingerprint
from trivium.resources.images.types import Image
from trivium.store import Store


async def verify(store: Store, environments: Environments, image: Image) -> None:
    """Raise `ImageChanged` when the environment on disk is not the one that was added, or is not there.

    The cheap fingerprint decides as long as it is the same; else the content is read, and a fingerprint that only
    differs in times is remembered. A saved image answers for the environment that lies under its layers.
    """
    fingerprint = await environments.fingerprint(image.environment)
    if fingerprint == image.fingerprint:
        return
    digest = None if fingerprint is None else await environments.digest(image.environment)
    if fingerprint is None or digest is None or digest != image.environment_digest:
        raise ImageChanged(path=image.path)
    await store.write(note_fingerprint, image, fingerprint)
