"""The models of one project, as lists that know nothing of other projects ask for them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, bindparam

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources import events, owning
from trivium.resources.events import Event
from trivium.resources.models.table import model_of, models
from trivium.resources.models.types import Model, ModelKind, ModelStatus
from trivium.store import Read, query
from trivium.store import fields as f
from trivium.store.query import Scope

OWN: Final = f.Resource(
    "models of a project",
    models,
    (
        f.Field("id", f.integer, models.c.id),
        f.Field("name", f.text, models.c.name, folded=models.c.name_folded),
        f.Field("description", f.text, models.c.description, folded=models.c.description_folded),
        f.Field("version", f.text, models.c.version_key),  # sorts as versions do
        f.Field("size", f.integer, models.c.size),
        f.Field("kind", f.enum(ModelKind), models.c.kind),
        f.Field("status", f.enum(ModelStatus), models.c.status),
        f.Field("workspace", f.integer, models.c.workspace),
    ),
    columns=owning.shown(models),
)

_OWN: Final = Scope(models.c.project_id == bindparam("project", None, BigInteger()))


def list_own(tx: Read, caller: Caller, asked: Query) -> Listed[Model]:
    """The models of the caller's project, as asked; what is another's and public is not among them."""
    found = query.page(tx, OWN, asked, scope=(_OWN.of(project=caller.project),))
    return Listed(rows=tuple(map(model_of, found.rows)), total=found.total, next=found.next)


def list_events(tx: Read, model: Model, asked: Query) -> Listed[Event]:
    """What happened to a model, as asked, which callers may ask of a model that is theirs.

    Conditions on `at` say from when and until when, and those on `action` what. Raises what `query.page` raises.
    """
    return events.of_target(tx, "model", model.id, asked=asked)
