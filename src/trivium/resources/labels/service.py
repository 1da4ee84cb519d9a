"""Checking labels and documents, keeping labels where they can be selected by, and the clauses of selectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, delete, insert, select

from trivium.base.errors import Invalid
from trivium.resources.labels.table import labels
from trivium.resources.labels.types import Requirement, Selecting
from trivium.store import Write

MOST: Final = 64
LONGEST_KEY: Final = 317  # a prefix of 253 characters, a slash, and 63
LONGEST_VALUE: Final = 256
LONGEST_DOCUMENT: Final = 65_536  # characters of JSON
MOST_REQUIREMENTS: Final = 32
MOST_VALUES: Final = 64


def checked(given: Mapping[str, str], field: str = "labels") -> str:
    """The labels as JSON, keys in order. `Invalid` for too many, and for keys and values that are no labels."""
    if len(given) > MOST:
        message = f"there are at most {MOST} {field}"
        raise Invalid(field, message)
    for key, value in given.items():
        if not 0 < len(key) <= LONGEST_KEY or len(value) > LONGEST_VALUE or not (key + value).isprintable():
            message = f"{field} have keys of 1 to {LONGEST_KEY} characters and values of at most {LONGEST_VALUE}"
            raise Invalid(field, message)
    return msgspec.json.encode(given, order="sorted").decode()


def checked_document(given: Mapping[str, Any], field: str) -> str:
    """A document of the caller's as JSON. `Invalid` when it is too long, or cannot be kept."""
    try:
        text = msgspec.json.encode(given, order="sorted").decode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise Invalid(field, "must be a plain JSON document") from error
    if len(text) > LONGEST_DOCUMENT or "\\u0000" in text:
        message = f"must be a JSON document of at most {LONGEST_DOCUMENT} characters without NUL"
        raise Invalid(field, message)
    return text


def set_labels(tx: Write, target: int, given: Mapping[str, str]) -> None:
    """Give the thing these labels, which are checked, in place of those that it has."""
    tx.run(delete(labels).where(labels.c.target_id == target))
    if given:
        tx.run(insert(labels), [{"target_id": target, "key": key, "value": value} for key, value in given.items()])


def selecting(target: ColumnElement[int], selector: Sequence[Requirement]) -> tuple[ColumnElement[bool], ...]:
    """The clauses that hold for the things, by their ids, that satisfy the selector. `Invalid` for a senseless one."""
    if len(selector) > MOST_REQUIREMENTS or any(len(one.values) > MOST_VALUES for one in selector):
        message = f"a selector has at most {MOST_REQUIREMENTS} requirements with {MOST_VALUES} values each"
        raise Invalid("selector", message)
    return tuple(_clause(target, one) for one in selector)


def _clause(target: ColumnElement[int], wanted: Requirement) -> ColumnElement[bool]:
    if bool(wanted.values) is not (wanted.how in (Selecting.IN, Selecting.NOT_IN)):
        raise Invalid("selector", "a requirement of values needs some, and one of existence takes none")
    mine = and_(labels.c.target_id == target, labels.c.key == wanted.key)
    if wanted.values:
        mine = and_(mine, labels.c.value.in_(sorted(set(wanted.values))))
    # Not EXISTS, which PostgreSQL may answer by reading all labels there are.
    found = select(labels.c.target_id).where(mine).limit(1).scalar_subquery()
    return found.is_not(None) if wanted.how in (Selecting.IN, Selecting.EXISTS) else found.is_(None)
