"""Answers to queries, of whichever resource and through whichever door they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.query import Offset
from trivium.dialects.operation import Read, Wire
from trivium.dialects.zstack.apis import Listing
from trivium.dialects.zstack.envelope import Result
from trivium.dialects.zstack.queries import Asked
from trivium.dialects.zstack.spelling import Shape

NOTHING: Final = Offset(limit=0)


class ListParameters(Wire, frozen=True, kw_only=True, rename="camel"):
    """The parameters of a query, as `queries.of_parameters` reads them."""

    q: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    limit: str | None = None
    start: str | None = None
    count: str | None = None
    group_by: str | None = None
    reply_with_count: str | None = None
    filter_name: str | None = None
    sort: str | None = None
    sort_by: str | None = None
    sort_direction: str | None = None

    @property
    def values(self) -> dict[str, Sequence[str]]:
        """The values of each parameter that is there, by its name on the wire."""
        found: dict[str, Sequence[str]] = {}
        for name, wire_name in WIRE_NAMES:
            value: str | tuple[str, ...] | None = getattr(self, name)
            if value is not None:
                found[wire_name] = (value,) if isinstance(value, str) else value
        return found


WIRE_NAMES: Final = tuple([(field.name, field.encode_name) for field in structs.fields(ListParameters)])


def answer(tx: Read, caller: Caller, listing: Listing, *, asked: Asked) -> Result:
    """What the query finds: `inventories` and, where it is wanted, their `total`; or the total alone."""
    query = asked.query
    if asked.only_total:
        found = listing.rows(tx, caller, structs.replace(query, page=NOTHING, total=True))
        return {"total": found.total}
    found = listing.rows(tx, caller, query)
    shapes = listing.shapes(tx, caller, found.rows)
    inventories = [_chosen(shape, asked.fields) for shape in shapes] if asked.fields else shapes
    return {"inventories": inventories, "total": found.total} if query.total else {"inventories": inventories}


def _chosen(shape: Shape, fields: Sequence[str]) -> dict[str, Any]:
    """Those of the fields that the shape has, as it has them."""
    every = msgspec.to_builtins(shape)
    return {name: every[name] for name in fields if name in every}
