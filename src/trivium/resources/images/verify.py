"""Whether an image is still what was added, and where."""

from __future__ import annotations

import asyncio
from pathlib import Path

from trivium.base.errors import Unavailable
from trivium.resources.hosts import HostAway
from trivium.resources.images.errors import ImageChanged
from trivium.resources.images.ports import Places
from trivium.resources.images.service import everywhere, fingerprints_of, note_fingerprint
from trivium.resources.images.types import Image
from trivium.store import Store


async def verify(store: Store, places: Places, image: Image) -> frozenset[str]:
    """The hosts on which the environment on disk is the one that was added, and the image's layers are.

    Raises `ImageChanged` when there is none, and `HostAway` when the only host that has its layers does not answer. The
    cheap fingerprint decides as long as it is known on any; else the content is read, and a fingerprint that only
    differs in times is remembered. A saved image answers for the environment that lies under its layers.
    """
    seen = await places.fingerprints(image.environment)
    if image.host is not None and image.host not in seen:
        raise HostAway(host=image.host)
    there = {
        host: fingerprint
        for host, fingerprint in seen.items()
        if fingerprint is not None and image.host in (None, host)
    }
    good = frozenset(host for host, fingerprint in there.items() if fingerprint == image.fingerprint)
    if len(good) < len(there):
        known = await store.read(fingerprints_of, image)
        good |= {host for host, fingerprint in there.items() if fingerprint == known.get(host)}
    if not good:
        looks = (is_same(store, places, image, host=host, fingerprint=there[host]) for host in there)
        read = await asyncio.gather(*looks)
        good = frozenset(host for host, is_good in zip(there, read, strict=True) if is_good)
    if not good:
        raise ImageChanged(path=image.path)
    return good


async def learn(store: Store, places: Places, host: str, *, others: set[tuple[Path, str]]) -> None:
    """Read on a host what no one has read there yet, so that whoever wants the image need not wait for that.

    What turned out to be something else is kept in `others`, and not read again while it stays as it is.
    """
    for image in {one.environment: one for one in await store.search(everywhere)}.values():
        fingerprint = (await places.fingerprints(image.environment)).get(host)
        known = (await store.read(fingerprints_of, image)).get(host)
        if fingerprint in (None, image.fingerprint, known) or (image.environment, fingerprint) in others:
            continue
        if not await is_same(store, places, image, host=host, fingerprint=fingerprint):
            others.add((image.environment, fingerprint))


async def is_same(store: Store, places: Places, image: Image, *, host: str, fingerprint: str) -> bool:
    """Whether the content on that host is what was added; then the fingerprint is remembered."""
    try:
        digest = await places.digest_at(host, image.environment)
    except Unavailable:
        return False
    if digest is None or digest != image.environment_digest:
        return False
    await store.write(note_fingerprint, image, host, fingerprint=fingerprint)
    return True
