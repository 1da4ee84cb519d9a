"""The lists of nodes, a page at a time: of most nodes the text is there already."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw

from trivium.base.keyring import Keyring
from trivium.base.query import Query
from trivium.base.site import Site
from trivium.dialects.modelarts import objects
from trivium.dialects.modelarts.continuing import Continuations
from trivium.dialects.modelarts.nodes.shapes import NodeList
from trivium.dialects.modelarts.nodes.translation import Surroundings, node_shape
from trivium.dialects.modelarts.objects import ContinuedQuery
from trivium.dialects.operation import Call, Nothing, Read
from trivium.dialects.rendered import EVER, Page, Record, Rendered
from trivium.resources import nodes, pools, shares
from trivium.resources.nodes import NodeDetail

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of nodes' texts: 10,000 are walked through without making one twice."""


class Lists:
    """The lists, with the places to continue them at and the texts of nodes."""

    def __init__(self, keyring: Keyring, site: Site) -> None:
        self._places = Continuations(keyring)
        self._site = site
        self._rendered: Rendered[NodeDetail] = Rendered(self._record, MOST_BYTES)

    def of_pool(self, tx: Read, call: Call[Nothing, ContinuedQuery]) -> Raw:
        """A page of a pool's nodes, oldest first."""
        return self._listed(tx, call, node_pool=None)

    def of_node_pool(self, tx: Read, call: Call[Nothing, ContinuedQuery]) -> Raw:
        """A page of a node pool's nodes, oldest first."""
        return self._listed(tx, call, node_pool=call.request.parameters["nodepool_name"])

    def _listed(self, tx: Read, call: Call[Nothing, ContinuedQuery], *, node_pool: str | None) -> Raw:
        caller, name = call.caller, call.request.parameters["pool_name"]

        def make() -> tuple[Page, NodeList]:
            pool = pools.find_any(tx, caller, name)
            of = f"nodes {caller.project} {pool.id} {node_pool or ''}"
            page = self._places.page(call.query.place, call.query.limit, of=of, now=tx.now)
            asked = Query(order=objects.OLDEST_FIRST, page=page, total=False)
            _, found = shares.list_stamps(tx, caller, pool.name, asked=asked, node_pool=node_pool)
            load = partial(nodes.by_ids, tx, pool.id)
            records = self._rendered.page(tx, found.rows, load, facts=Surroundings(tx, pool))
            metadata = self._places.metadata(found.next, remaining=found.remaining or 0, of=of, now=tx.now)
            shape = NodeList(kind="NodeList", api_version="v2", metadata=metadata, items=records.records)
            goes_on = found.next is not None
            return self._places.lasting(records, call.query.place, of=of, goes_on=goes_on, now=tx.now), shape

        return self._rendered.answer(tx, (caller.project, caller.role, name, node_pool, call.asked), make)

    def _record(self, detail: NodeDetail, surroundings: Surroundings, _now: datetime) -> Record:
        """The text of a node, in which nothing counts time."""
        around = surroundings.of(detail.node)
        text = Raw(msgspec.json.encode(node_shape(detail, around, self._site.name)))
        return Record(text=text, since=EVER, about=detail.node.node_pool or 0, fact=around)
