"""The catalogue of models as tests fill it: by calling services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.builders import Place
from trivium.base.caller import Caller
from trivium.resources import datasets, models, services, stores
from trivium.resources.datasets import Dataset, NewDataset
from trivium.resources.models import Model, NewModel
from trivium.resources.services import ModelService, NewService
from trivium.resources.stores import ModelStore, NewModelStore

ROOT = "/srv/models"


def store(here: Place, caller: Caller, name: str = "central", *, root: str = ROOT, **more: Any) -> ModelStore:
    """A store of the caller's, inside a root."""
    new = NewModelStore(name=name, **{"url": ROOT, **more})
    return here.store.write_now(stores.create, caller, new, roots=(root,), reachable=True)


def model(here: Place, caller: Caller, place: ModelStore | UUID, name: str = "qwen", **more: Any) -> Model:
    """A model of the caller's."""
    there = place if isinstance(place, UUID) else place.uuid
    new = NewModel(name=name, store=there, **{"install_path": name, **more})
    return here.store.write_now(models.create, caller, new)


def dataset(here: Place, caller: Caller, place: ModelStore, name: str = "faq", **more: Any) -> Dataset:
    """A dataset of the caller's."""
    new = NewDataset(name=name, store=place.uuid, **{"url": f"file:///srv/data/{name}", **more})
    return here.store.write_now(datasets.create, caller, new)


def service(here: Place, caller: Caller, place: ModelStore, name: str = "vllm", **more: Any) -> ModelService:
    """A service of the caller's."""
    asked = {"yaml": "a: 1", "request_cpu": 2, "request_memory": 1 << 30, "install_path": "/opt/x"}
    new = NewService(name=name, store=place.uuid, **{**asked, "start_command": "serve", **more})
    return here.store.write_now(services.create, caller, new)
