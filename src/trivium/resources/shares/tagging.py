"""Use cases of pools' tags."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from trivium.base.caller import Caller
from trivium.resources import events, pools, tags, workspaces
from trivium.resources.shares.errors import OfMachines
from trivium.resources.shares.rights import changing
from trivium.resources.tags import Tag
from trivium.store import Read, Write

KIND: Final = "pool"
"""What pools are called where tags are kept."""


def put_tags(tx: Write, caller: Caller, name: str, *, given: Iterable[Tag]) -> Sequence[Tag]:
    """Give a pool these tags; a key that it has gets the new value. All of its tags then, by key.

    Raises `NoSuchPool`, `Forbidden`, `OfMachines`, `Invalid` for a senseless key or value, and `TooManyTags`.
    """
    pool = changing(tx, caller, name)
    before = tags.of(tx, KIND, pool.id)
    if pool.project is None:
        raise OfMachines(name=name)
    after = tags.put(tx, KIND, pool.id, project=pool.project, given=given)
    _note(tx, caller, pool, before=before, after=after)
    return after


def remove_tags(tx: Write, caller: Caller, name: str, *, keys: Collection[str]) -> Sequence[Tag]:
    """Take the tags of these keys from a pool; those that are left. `NoSuchPool`, `Forbidden`, `OfMachines`."""
    pool = changing(tx, caller, name)
    before = tags.of(tx, KIND, pool.id)
    tags.remove(tx, KIND, pool.id, keys=keys)
    after = tags.of(tx, KIND, pool.id)
    _note(tx, caller, pool, before=before, after=after)
    return after


def tags_of(tx: Read, caller: Caller, name: str) -> Sequence[Tag]:
    """The tags of a pool, by key. `NoSuchPool`."""
    return tags.of(tx, KIND, pools.find_any(tx, caller, name).id)


def tags_of_many(tx: Read, found: Iterable[int]) -> Mapping[int, Sequence[Tag]]:
    """The tags of each of these pools, which their caller may see."""
    return tags.of_many(tx, KIND, found)


def tags_by_key(tx: Read, caller: Caller) -> Mapping[str, Sequence[str]]:
    """Every tag of the project's pools, each once: the values of each key, both in order. A search.

    Pools in workspaces that the caller may not use are left out.
    """
    elsewhere = pools.in_workspaces(tx, workspaces.hidden(tx, caller))
    return tags.by_key(tx, KIND, project=caller.project, without=elsewhere)


def _note(tx: Write, caller: Caller, pool: pools.Pool, *, before: Sequence[Tag], after: Sequence[Tag]) -> None:
    if before == after:
        return
    was, now = ({tag.key: tag.value for tag in found} for found in (before, after))
    events.record(tx, caller, "pool.tag", target=pool.id, project=pool.project, before=was, after=now)
