"""Saved layers that nobody needs any more: their image was removed, and every notebook that was made of it is gone."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from trivium.resources import images
from trivium.resources.notebooks.ports import Runtime
from trivium.resources.notebooks.table import THERE, notebooks
from trivium.store import Read, Store


async def drop_unused_layers(store: Store, runtime: Runtime) -> None:
    """Have the runtime remove the saved layers that it keeps for nobody. Repeatable.

    What is not used now is used never again: nobody can make a notebook of an image that was removed.
    """
    kept = await runtime.layers()
    if kept:
        for name in sorted(set(kept) - await store.search(_used, kept)):
            await runtime.drop_layer(name)


def _used(tx: Read, names: Collection[str]) -> frozenset[str]:
    """Those of these layers that an image uses which is there, or a removed one of which a notebook is not gone."""
    uses = images.uses_of(tx, names)
    removed = [one.image for one in uses if one.is_removed]
    of_them = select(notebooks.c.image_id).where(notebooks.c.image_id.in_(removed), THERE).distinct()
    rows = tx.all(of_them) if removed else ()
    needed = {int(row.image_id) for row in rows}
    used = (one.layers for one in uses if not one.is_removed or one.image in needed)
    return frozenset(name for layers in used for name in layers)
