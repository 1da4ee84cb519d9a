"""The shapes of tags on the wire: of notebooks, and of pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.dialects.modelarts.spelling import Shape
from trivium.dialects.operation import Wire
from trivium.resources.tags import Tag


class TagsOfKey(Shape, frozen=True, kw_only=True):
    """The values of a key; of one pool there is one, which older clients look for under its own name."""

    key: str
    value: str | None = None
    values: tuple[str, ...]


class TagsShape(Shape, frozen=True, kw_only=True):
    """Tags by key."""

    tags: list[TagsOfKey]


class TagBody(Wire, frozen=True, kw_only=True):
    """A tag that is given or taken."""

    key: str
    value: str = ""

    @property
    def meant(self) -> Tag:
        """The tag that is meant."""
        return Tag(key=self.key, value=self.value)


class TagsBody(Wire, frozen=True, kw_only=True):
    """The tags that are given or taken."""

    tags: tuple[TagBody, ...]

    @property
    def given(self) -> list[Tag]:
        """The tags that are meant."""
        return [tag.meant for tag in self.tags]

    @property
    def keys(self) -> list[str]:
        """Their keys."""
        return [tag.key for tag in self.tags]


def tags_by_key(found: Mapping[str, Sequence[str]]) -> TagsShape:
    """Every value of each key."""
    return TagsShape(tags=[TagsOfKey(key=key, values=tuple(values)) for key, values in found.items()])


def tags_of_one(tags: Sequence[Tag]) -> TagsShape:
    """The tags of one thing, with their values twice: clients differ in where they look for them."""
    return TagsShape(tags=[TagsOfKey(key=tag.key, value=tag.value, values=(tag.value,)) for tag in tags])
