"""Giving tags, taking them, and looking them up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import delete, insert, select

from trivium.base.errors import Invalid
from trivium.resources.tags.errors import TooManyTags
from trivium.resources.tags.table import tags
from trivium.resources.tags.types import MOST, Tag
from trivium.store import Read, Write

LONGEST_KEY: Final = 128
LONGEST_VALUE: Final = 255


def put(tx: Write, kind: str, thing: int, *, project: int, given: Iterable[Tag]) -> Sequence[Tag]:
    """Give a thing these tags; a key that it has gets the new value. All of its tags then, by key.

    The thing must be locked. Raises `Invalid` for a senseless key or value, and `TooManyTags`.
    """
    new = {tag.key: tag for tag in map(_checked, given)}
    after = {tag.key: tag for tag in of(tx, kind, thing)} | new
    if len(after) > MOST:
        raise TooManyTags(most=MOST)
    remove(tx, kind, thing, keys=new)
    rows = [{"kind": kind, "thing": thing, "project_id": project, "key": key, "value": new[key].value} for key in new]
    if rows:
        tx.run(insert(tags), rows)
    return [after[key] for key in sorted(after)]


def remove(tx: Write, kind: str, thing: int, *, keys: Iterable[str]) -> int:
    """Take the tags of these keys from a thing; how many it had. The thing must be locked."""
    wanted = sorted(set(keys))
    mine = (tags.c.kind == kind, tags.c.thing == thing, tags.c.key.in_(wanted))
    return tx.run(delete(tags).where(*mine)) if wanted else 0


def remove_all(tx: Write, kind: str, thing: int) -> None:
    """Take all its tags from a thing that is deleted."""
    tx.run(delete(tags).where(tags.c.kind == kind, tags.c.thing == thing))


def of(tx: Read, kind: str, thing: int) -> Sequence[Tag]:
    """The tags of a thing, by key."""
    return of_many(tx, kind, (thing,))[thing]


def of_many(tx: Read, kind: str, things: Iterable[int]) -> Mapping[int, Sequence[Tag]]:
    """The tags of each of these things, by key: with one look for all of a page."""
    found: dict[int, list[Tag]] = {thing: [] for thing in things}
    if found:
        mine = (tags.c.kind == kind, tags.c.thing.in_(list(found)))
        for row in tx.all(select(tags.c.thing, tags.c.key, tags.c.value).where(*mine).order_by(tags.c.key)):
            found[row.thing].append(Tag(key=row.key, value=row.value))
    return found


def by_key(tx: Read, kind: str, *, project: int, without: Collection[int] = ()) -> Mapping[str, Sequence[str]]:
    """Every tag of a project's things of a kind, some left out, each once: the values of each key, both in order.

    It costs as much as there are such tags: a search.
    """
    mine = [tags.c.project_id == project, tags.c.kind == kind]
    mine += [tags.c.thing.not_in(sorted(without))] if without else []
    found: dict[str, list[str]] = {}
    for row in tx.all(select(tags.c.key, tags.c.value).where(*mine).distinct().order_by(tags.c.key, tags.c.value)):
        found.setdefault(row.key, []).append(row.value)
    return found


def _checked(tag: Tag) -> Tag:
    if not 0 < len(tag.key) <= LONGEST_KEY or not tag.key.isprintable() or tag.key != tag.key.strip():
        message = f"a tag's key has 1 to {LONGEST_KEY} printable characters, and no spaces at its ends"
        raise Invalid("key", message)
    if len(tag.value) > LONGEST_VALUE or not (tag.value.isprintable() or not tag.value):
        message = f"a tag's value has at most {LONGEST_VALUE} printable characters"
        raise Invalid("value", message)
    return tag
