"""Tags of notebooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from trivium.base.caller import Caller
from trivium.resources import events, tags
from trivium.resources.notebooks.changes import change, own
from trivium.resources.notebooks.service import get
from trivium.resources.notebooks.table import KIND
from trivium.resources.tags import Tag
from trivium.store import Read, Write


def put_tags(tx: Write, caller: Caller, notebook: int, *, given: Iterable[Tag]) -> Sequence[Tag]:
    """Give a notebook these tags; a key that it has gets the new value. All of its tags then, by key.

    Raises `NoSuchNotebook`, `Invalid` for a senseless key or value, and `TooManyTags`.
    """
    before = own(tx, caller, notebook)
    given = tuple(given)
    after = tags.put(tx, KIND, before.id, project=before.project, given=given)
    change(tx, before)
    events.record(tx, caller, "notebook.tag", target=before.id, after={tag.key: tag.value for tag in given})
    return after


def remove_tags(tx: Write, caller: Caller, notebook: int, *, keys: Collection[str]) -> None:
    """Take the tags of these keys from a notebook; those that it does not have are none. `NoSuchNotebook`."""
    before = own(tx, caller, notebook)
    if tags.remove(tx, KIND, before.id, keys=keys):
        change(tx, before)
        events.record(tx, caller, "notebook.untag", target=before.id, before={"keys": sorted(set(keys))})


def tags_of(tx: Read, caller: Caller, notebook: int) -> Sequence[Tag]:
    """The tags of a notebook, by key. `NoSuchNotebook`."""
    return tags.of(tx, KIND, get(tx, caller, notebook).id)


def tags_of_many(tx: Read, notebooks: Iterable[int]) -> Mapping[int, Sequence[Tag]]:
    """The tags of each notebook of a page, which its caller may see; deleted ones have none."""
    return tags.of_many(tx, KIND, notebooks)


def tags_by_key(tx: Read, caller: Caller) -> Mapping[str, Sequence[str]]:
    """Every tag of the project's notebooks, each once: the values of each key, both in order. A search."""
    return tags.by_key(tx, KIND, project=caller.project)
