"""The site, pools, nodes and cards as queries across all of them see them, without regard to case.

Each has what lists show computed in SQL, so that it can be compared; of that only plain columns are in an index.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Integer, Text, case, exists, func, literal_column, select

from trivium.resources.nodes import cards, devices, nodes
from trivium.resources.pools import pools
from trivium.resources.sites import sites
from trivium.store import fields as f

EMPTY: Final[ColumnElement[str]] = literal_column("''")
THOUSAND: Final[ColumnElement[int]] = literal_column("1000", Integer)
ZERO: Final[ColumnElement[int]] = literal_column("0", Integer)


DECLARED: Final = "declared in the configuration"
"""What is remarked on a card that nothing on the machine confirms."""


class NodeState(StrEnum):
    """Whether something new is placed on a node, as far as people say."""

    ENABLED = "enabled"
    CORDONED = "cordoned"


class Readiness(StrEnum):
    """Whether a node answers."""

    READY = "ready"
    UNREADY = "unready"


class CardState(StrEnum):
    """Whether a card is where it was."""

    THERE = "there"
    GONE = "gone"


class Allocation(StrEnum):
    """Whether a notebook has a card."""

    ALLOCATED = "allocated"
    FREE = "free"


class CardSort(StrEnum):
    """What a card says on the bus that it is."""

    VIDEO = "video"
    CONTROLLER_3D = "3d"
    PROCESSING = "processing"
    UNKNOWN = "unknown"


CLASSES: Final[Mapping[int, CardSort]] = {
    0x0300: CardSort.VIDEO,
    0x0302: CardSort.CONTROLLER_3D,
    0x1200: CardSort.PROCESSING,
}
"""By class and subclass, as the PCI code and ID assignment has them."""


def sort_of(pci_class: int | None) -> CardSort:
    """What a card of that class and subclass is."""
    return CardSort.UNKNOWN if pci_class is None else CLASSES.get(pci_class, CardSort.UNKNOWN)


def _word(condition: ColumnElement[bool], yes: str, no: str) -> ColumnElement[str]:
    return case((condition, literal_column(f"'{yes}'", Text())), else_=literal_column(f"'{no}'", Text()))


def _left(whole: ColumnElement[int], taken: ColumnElement[int]) -> ColumnElement[int]:
    """What is left of the whole; never less than nothing."""
    return case((whole > taken, whole - taken), else_=ZERO)


ARCHITECTURE: Final[ColumnElement[str]] = func.nullif(
    select(nodes.c.architecture)
    .where(nodes.c.pool_id == pools.c.id, nodes.c.listed)
    .order_by(nodes.c.id)
    .limit(1)
    .scalar_subquery(),
    EMPTY,
)
"""Of the processors of a pool's oldest node."""

ALLOCATED: Final[ColumnElement[bool]] = exists(
    select(devices.c.id).where(devices.c.id == cards.c.device_id, devices.c.holder.is_not(None))
)
"""Whether a notebook has the card, by the accounts of its place."""

SITES: Final = f.Resource(
    "sites",
    sites,
    (
        f.Field("id", f.integer, sites.c.id),
        f.Field("uuid", f.uuid, sites.c.uuid),
        f.Field("name", f.caseless, sites.c.name, folded=sites.c.name_folded),
        f.Field("description", f.caseless, sites.c.description, folded=sites.c.description_folded),
        f.Field("created_at", f.second, sites.c.created_at),
        f.Field("changed_at", f.second, sites.c.changed_at),
    ),
    relations=(
        f.Relation("pools", lambda: POOLS, sites.c.uuid, pools.c.site_uuid, (pools.c.deleted_at.is_(None),)),
        f.Relation("nodes", lambda: NODES, sites.c.uuid, nodes.c.site_uuid, (nodes.c.listed,)),
    ),
    conditions_lead=True,
    audience=sites.c.audience,
)

_SAID: Final[ColumnElement[str]] = func.nullif(pools.c.description, EMPTY)
_SAID_FOLDED: Final[ColumnElement[str]] = func.nullif(pools.c.description_folded, EMPTY)

POOLS: Final = f.Resource(
    "pools",
    pools,
    (
        f.Field("id", f.integer, pools.c.id),
        f.Field("uuid", f.uuid, pools.c.uuid),
        f.Field("name", f.caseless, pools.c.title, folded=pools.c.title_folded),
        f.Field("description", f.caseless, _SAID, folded=_SAID_FOLDED),
        f.Field("site", f.uuid, pools.c.site_uuid),
        f.Field("architecture", f.caseless, ARCHITECTURE, folded=ARCHITECTURE),
        f.Field("audience", f.integer, pools.c.audience),
        f.Field("created_at", f.second, pools.c.created_at),
        f.Field("changed_at", f.second, pools.c.changed_at),
    ),
    relations=(
        f.Relation("site", lambda: SITES, pools.c.site_uuid, sites.c.uuid),
        f.Relation("nodes", lambda: NODES, pools.c.uuid, nodes.c.pool_uuid, (nodes.c.listed,)),
    ),
    conditions_lead=True,
    audience=pools.c.audience,
)

_MILLICORES: Final = _left(nodes.c.millicores, nodes.c.sliced_millicores)
_FREE_MILLICORES: Final = _left(nodes.c.millicores, nodes.c.held_millicores)
_PROCESSORS: Final[ColumnElement[str]] = func.nullif(nodes.c.architecture, EMPTY)

NODES: Final = f.Resource(
    "nodes",
    nodes,
    (
        f.Field("id", f.integer, nodes.c.id),
        f.Field("uuid", f.uuid, nodes.c.uuid),
        f.Field("name", f.caseless, nodes.c.name, folded=nodes.c.name_folded),
        f.Field("site", f.uuid, nodes.c.site_uuid),
        f.Field("pool", f.uuid, nodes.c.pool_uuid),
        f.Field("address", f.caseless, nodes.c.address, folded=nodes.c.address),
        f.Field("state", f.enum(NodeState), _word(nodes.c.cordoned, NodeState.CORDONED, NodeState.ENABLED)),
        f.Field("readiness", f.enum(Readiness), _word(nodes.c.ready, Readiness.READY, Readiness.UNREADY)),
        f.Field("cores", f.integer, _MILLICORES // THOUSAND),
        f.Field("free_cores", f.integer, _FREE_MILLICORES // THOUSAND),
        f.Field("memory", f.integer, _left(nodes.c.memory, nodes.c.sliced_memory)),
        f.Field("free_memory", f.integer, _left(nodes.c.memory, nodes.c.held_memory)),
        f.Field("architecture", f.caseless, _PROCESSORS, folded=_PROCESSORS),
        f.Field("audience", f.integer, nodes.c.audience),
        f.Field("created_at", f.second, nodes.c.created_at),
        f.Field("changed_at", f.second, nodes.c.seen_at),
    ),
    relations=(
        f.Relation("site", lambda: SITES, nodes.c.site_uuid, sites.c.uuid),
        f.Relation("pool", lambda: POOLS, nodes.c.pool_uuid, pools.c.uuid),
        f.Relation("cards", lambda: CARDS, nodes.c.uuid, cards.c.node_uuid),
    ),
    conditions_lead=True,
    audience=nodes.c.audience,
)


def _text(name: str) -> f.Field:
    return f.Field(name, f.caseless, cards.c[name], folded=cards.c[f"{name}_folded"])


def _plain(name: str, column: str | None = None) -> f.Field:
    """A text that is written in small letters by itself."""
    return f.Field(name, f.caseless, cards.c[column or name], folded=cards.c[column or name])


_REMARK: Final[ColumnElement[str]] = case((cards.c.declared, literal_column(f"'{DECLARED}'", Text())))
_CLASS: Final = cards.c.pci_class
_SORT: Final[ColumnElement[str]] = case(
    {number: literal_column(f"'{sort}'", Text()) for number, sort in CLASSES.items()},
    value=_CLASS,
    else_=literal_column(f"'{CardSort.UNKNOWN}'", Text()),
)

CARDS: Final = f.Resource(
    "cards",
    cards,
    (
        f.Field("id", f.integer, cards.c.id),
        f.Field("uuid", f.uuid, cards.c.uuid),
        f.Field("node", f.uuid, cards.c.node_uuid),
        _plain("kind"),
        _text("model"),
        f.Field("memory", f.integer, cards.c.memory),
        f.Field("power", f.integer, cards.c.power),
        _text("serial"),
        _plain("pci_address"),
        f.Field("sort", f.enum(CardSort), _SORT),
        _text("vendor"),
        _plain("vendor_id"),
        _plain("device_id", "device_code"),
        _plain("subvendor_id"),
        _plain("subdevice_id"),
        f.Field("driver_loaded", f.boolean, cards.c.driver_loaded),
        _text("health"),
        f.Field("state", f.enum(CardState), _word(cards.c.present, CardState.THERE, CardState.GONE)),
        f.Field("allocation", f.enum(Allocation), _word(ALLOCATED, Allocation.ALLOCATED, Allocation.FREE)),
        f.Field("description", f.caseless, _REMARK, folded=_REMARK),
        f.Field("audience", f.integer, cards.c.audience),
        f.Field("created_at", f.second, cards.c.created_at),
        f.Field("changed_at", f.second, cards.c.changed_at),
    ),
    relations=(f.Relation("node", lambda: NODES, cards.c.node_uuid, nodes.c.uuid),),
    conditions_lead=True,
    audience=cards.c.audience,
)
