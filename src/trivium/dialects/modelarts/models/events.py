"""What happened to a model. No call of ModelArts' is documented for it: it is told as what happened to a service is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from trivium.base import json
from trivium.base.query import Condition, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.base.text import Language
from trivium.dialects.modelarts.errors import NotSortable
from trivium.dialects.modelarts.paging import MOST, numbered_page
from trivium.dialects.modelarts.spelling import Shape, Text, dashed, instant, milliseconds, one_of
from trivium.dialects.operation import Wire
from trivium.resources.events import Event
from trivium.resources.models import Model, ModelKind

NORMAL: Final = "normal"
ABNORMAL: Final = "abnormal"
REFUSED: Final = "model.refused"
OCCURRED: Final = "occur_time"
IMAGE: Final = {
    "model.import": "Looking at the image of the model began.",
    "model.imported": "The image was looked at, and the model is published.",
}
SAID: Final = {
    "model.create": "The model was created.",
    "model.change": "Something else was said of the model.",
    "model.import": "Reading the files of the model began.",
    "model.imported": "The files were read, and the model is published.",
    "model.default": "The model has another default service, or none.",
}
NAMING_SERVICES: Final = {
    "model.bind": "The model was bound to the service {service}.",
    "model.unbind": "The model is bound to the service {service} no more.",
}


class ModelEventsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    event_type: Text = None
    start_time: int | None = None
    end_time: int | None = None
    offset: int | None = None
    limit: int | None = None
    sort_by: Text = None
    order: Text = None


class ModelEventShape(Shape, frozen=True, kw_only=True):
    """Something that happened."""

    occur_time: int
    event_type: str
    event_info: str


class ModelEventsPage(Shape, frozen=True, kw_only=True):
    """A page of what happened to a model."""

    model_id: str
    model_name: str
    total_count: int
    count: int
    events: list[ModelEventShape]


def events_query(asked: ModelEventsQuery) -> Query:
    """What is asked for. `OutOfBounds`, `NotOneOf`, `NotSortable`."""
    page = numbered_page(asked.limit, asked.offset, default=MOST, most=MOST)
    where: list[Condition] = []
    kind = one_of(asked.event_type, "event_type", (NORMAL, ABNORMAL))
    if kind is not None:
        where.append(Condition(field="action", op=Op.EQ if kind == ABNORMAL else Op.NE, value=REFUSED))
    if asked.start_time is not None:
        where.append(Condition(field="at", op=Op.GE, value=instant("start_time", asked.start_time)))
    if asked.end_time is not None:
        where.append(Condition(field="at", op=Op.LE, value=instant("end_time", asked.end_time)))
    key = (asked.sort_by or "").strip() or OCCURRED
    if key != OCCURRED:
        raise NotSortable("sort_by", key=key[:128])
    descending = one_of(asked.order, "order", ("asc", "desc")) != "asc"
    return Query(where=tuple(where), order=(Order(field="id", descending=descending),), page=page)


def event_shape(model: Model, event: Event) -> ModelEventShape:
    """An event as it is shown; who did it is not told, for the vendor does not either."""
    return ModelEventShape(
        occur_time=milliseconds(event.at),
        event_type=ABNORMAL if event.action == REFUSED else NORMAL,
        event_info=_said(model, event),
    )


def _said(model: Model, event: Event) -> str:
    if event.action == REFUSED:
        return _why(_told(event.before))
    if event.action in NAMING_SERVICES:
        service = _told(event.after or event.before).get("service", "")
        return NAMING_SERVICES[event.action].format(service=dashed(UUID(hex=service)))
    of_image = IMAGE.get(event.action) if model.kind is ModelKind.IMAGE else None
    return of_image or SAID.get(event.action, event.action)


def _why(told: Mapping[str, Any]) -> str:
    """Why files were not taken; of older events only the code of it is known."""
    if "details" not in told:
        return f"The model was not published ({told.get('reason', '')})."
    return Reason(code=told["reason"], details=told["details"]).say(Language.EN)


def _told(kept: str | None) -> Mapping[str, Any]:
    return json.decode_as(kept, dict[str, Any]) if kept else {}
