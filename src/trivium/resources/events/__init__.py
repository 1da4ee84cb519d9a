"""Events: who did what, when, from where, written by the transaction that did it."""

from trivium.resources.events.actions import ACTIONS
from trivium.resources.events.service import latest, of_target, record
from trivium.resources.events.table import events
from trivium.resources.events.types import Event

__all__ = ["ACTIONS", "Event", "events", "latest", "of_target", "record"]
