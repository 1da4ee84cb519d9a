"""The errors of the room of stores."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound


class NoSuchModelStore(NotFound):
    """There is no such store of models that the caller may see."""

    code = "model_store.not_found"


class ModelStoreInUse(Conflict):
    """Models, services or datasets are in the store."""

    code = "model_store.in_use"
