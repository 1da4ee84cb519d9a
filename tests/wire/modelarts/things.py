"""What a project's catalogue has in it before a case: stores, services and bindings as ZStack's, and models of both."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from tests.builders import HOST
from tests.wire.zstack import things as zstack
from trivium.base.caller import Caller
from trivium.base.reasons import Reason
from trivium.resources import models
from trivium.resources.models import NOWHERE, Facts, ModelKind, NewModel, reading
from trivium.store import Store, Write

REGISTERED: Final = "registered model"
OF_ZSTACK: Final = frozenset({"center", "model", "service", "bound", "dataset"})
BROKEN: Final = Reason(code="model.artifact.truncated", details={"file": "model.safetensors"})
IMAGE: Final = Facts(size=1_048_576, files=0, checksum="0" * 64)


def put(store: Store, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> bool:
    """Carry out a step that is about the catalogue; False for any other."""
    if REGISTERED in told:
        made = store.write_now(_registered, caller, told, names)
        names[f"{told[REGISTERED]}.uuid"] = str(made)
        return True
    if not OF_ZSTACK & told.keys():
        return False
    zstack.put(store, caller, told, names=names)
    if "model" in told:
        names[f"{told['model']}.uuid"] = str(UUID(hex=names[f"{told['model']}.uuid"]))
    return True


def _registered(tx: Write, caller: Caller, told: dict[str, Any], names: dict[str, Any]) -> UUID:
    """A model of ModelArts', as far as it is to be: publishing, published or failed."""
    label = told[REGISTERED]
    image = told.get("of image")
    new = NewModel(
        name=told.get("name", label),
        version=told.get("version", "1.0.0"),
        kind=ModelKind.IMAGE if image else ModelKind(told.get("kind", "pytorch")),
        install_path=names[f"{image}.path"] if image else f"{zstack.ROOT}/{told.get('in', 'c')}/{label}",
        store=NOWHERE,
        description=told.get("description"),
        workspace=names[f"{told['workspace']}.number"] if "workspace" in told else 0,
        settings=told.get("settings", {}),
    )
    made = models.register(tx, caller, new)
    going = reading.due(tx, HOST, most=100)[-1]  # nobody else has come since
    state = told.get("state", "published")
    if state == "published":
        facts, figures = (IMAGE, None) if image else (zstack.FACTS, zstack.FIGURES)
        models.finish_import(tx, going, facts=facts, figures=figures)
    elif state == "failed":
        models.refuse_import(tx, going, BROKEN)
    return made.uuid
