"""Marks: what ZStack calls user and system tags, on things of any kind."""

from trivium.resources.marks.table import MARKS, SEEN, mark_of, relations
from trivium.resources.marks.types import Mark, MarkType, NewMarks, Thing, ThingKind

__all__ = ["MARKS", "SEEN", "Mark", "MarkType", "NewMarks", "Thing", "ThingKind", "mark_of", "relations"]
