"""The errors of the room of stores."""

from __future__ import annotations

from trivium.base.errors import Conflict, Invalid, NotFound


class NoSuchModelStore(NotFound):
    """There is no such store of models that the caller may see."""

    code = "model_store.not_found"


class NotInStores(Invalid):
    """The place is inside of no store that the caller may see."""

    code = "model_store.none_has_it"


class ModelStoreInUse(Conflict):
    """Models, services or datasets are in the store."""

    code = "model_store.in_use"
