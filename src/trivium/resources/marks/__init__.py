"""Marks: what ZStack calls user and system tags, on things of any kind."""

from trivium.resources.marks.errors import NoSuchMark, TooManyMarks
from trivium.resources.marks.service import create, delete, get, put, remove_all, replace_system
from trivium.resources.marks.table import LISTING, MARKS, relations
from trivium.resources.marks.types import Mark, MarkType, NewMarks, Thing, ThingKind

__all__ = [
    "LISTING",
    "MARKS",
    "Mark",
    "MarkType",
    "NewMarks",
    "NoSuchMark",
    "Thing",
    "ThingKind",
    "TooManyMarks",
    "create",
    "delete",
    "get",
    "put",
    "relations",
    "remove_all",
    "replace_system",
]
