"""Lists of what has certain tags."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, bindparam, select

from trivium.resources.tags.table import tags
from trivium.resources.tags.types import Tag
from trivium.store.columns import text
from trivium.store.query import Bound, Scope


class Tagged:
    """Which rows of a kind's table have a tag, as scopes of a query; `id` is the table's own key.

    The ids are looked up in the index of tags, so what such a list costs grows with the things that have the tag, and
    not with the table.
    """

    def __init__(self, kind: str, id: Column[int]) -> None:
        mine = (
            tags.c.project_id == bindparam("project", None, BigInteger()),
            tags.c.kind == kind,
            tags.c.key == bindparam("key", None, text()),
            tags.c.value == bindparam("value", None, text()),
        )
        self._scope = Scope(id.in_(select(tags.c.thing).where(*mine)))

    def with_all(self, project: int, wanted: Iterable[Tag]) -> tuple[Bound, ...]:
        """A scope for each of the tags; together, the project's things that have all of them."""
        return tuple(self._scope.of(project=project, key=tag.key, value=tag.value) for tag in wanted)
