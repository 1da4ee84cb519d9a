"""Use cases of pools and flavors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import structs
from sqlalchemy import Row, bindparam, func, insert, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Condition, Listed, Op, Query
from trivium.base.text import fold
from trivium.resources import labels, sites
from trivium.resources.labels import Requirement
from trivium.resources.pools.errors import NoSuchPool, PoolExists
from trivium.resources.pools.table import (
    ELSEWHERE,
    EVERYBODY,
    NOBODY,
    POOLS,
    THERE,
    flavor_from,
    flavors,
    pool_of,
    pools,
)
from trivium.resources.pools.types import Flavor, Pool, PoolDetails, PoolPhase
from trivium.resources.workspaces import DEFAULT
from trivium.store import Prepared, Read, Write, query
from trivium.store.columns import text

CHANGING: Final = 7_239_514_605_131_042
"""PostgreSQL's advisory lock for changes of pools; any number that nobody else uses."""

LONGEST_DESCRIPTION: Final = 1024
NEWEST: Final = 1000
NOTHING_SAID: Final = PoolDetails()

FLAVORS: Final = select(flavors).where(flavors.c.pool_id == bindparam("pool")).order_by(flavors.c.kind)


def alone(tx: Write) -> None:
    """Let nobody else make or change pools, and the numbers that they and their flavors get, until this ends."""
    tx.advisory_lock(CHANGING)


def create(
    tx: Write,
    uuid: UUID,
    *,
    name: str,
    project: int | None,
    title: str = "",
    details: PoolDetails = NOTHING_SAID,
    network: int | None = None,
    node_prefix: str = "node",
    workspace: int = DEFAULT,
) -> Pool:
    """A new, empty pool; open to all when it belongs to no project. `PoolExists`, `Invalid` for senseless details.

    It takes `alone` first.
    """
    alone(tx)
    if tx.first(select(pools.c.id).where(pools.c.name == name, THERE)) is not None:
        raise PoolExists(name=name)
    short = int(tx.value(select(func.coalesce(func.max(pools.c.short), 0)))) + 1
    id = tx.ids.next()
    row = {"id": id, "uuid": uuid, "name": name, "short": short, "project_id": project, "title": title}
    more = {
        "audience": audience_of(project),
        "network_id": network,
        "node_prefix": node_prefix,
        "workspace": workspace,
        "phase": PoolPhase.RUNNING.value,
        "site_uuid": sites.get(tx).uuid,
        "title_folded": fold(title),
    }
    tx.run(insert(pools).values(**row, **more, **_columns(details), created_at=tx.now, changed_at=tx.now))
    labels.set_labels(tx, id, details.labels)
    return get(tx, id)


def audience_of(project: int | None) -> int:
    """Who has a pool of that project in lists, and its nodes: the project, or everybody where it is none's."""
    return EVERYBODY if project is None else project


def change(tx: Write, pool: int, details: PoolDetails) -> Pool:
    """Say something else of a pool. `Invalid` for senseless details."""
    tx.run(update(pools).where(pools.c.id == pool).values(**_columns(details), changed_at=tx.now))
    labels.set_labels(tx, pool, details.labels)
    return get(tx, pool)


def note_phase(tx: Write, pool: int, phase: PoolPhase) -> bool:
    """Write down how it is with a pool that was not deleted; False when it was so before."""
    other = (pools.c.id == pool, pools.c.phase != phase.value, THERE)
    return bool(tx.run(update(pools).where(*other).values(phase=phase.value, changed_at=tx.now)))


def remove(tx: Write, pool: int) -> Pool:
    """Take a pool off the lists; its name can be given again."""
    gone = {"deleted_at": tx.now, "changed_at": tx.now, "phase": PoolPhase.DELETING.value, "audience": NOBODY}
    tx.run(update(pools).where(pools.c.id == pool, THERE).values(gone))
    labels.set_labels(tx, pool, {})
    return get(tx, pool)


def default_pool(tx: Read) -> Pool | None:
    """The pool that everyone may use; None before the site was set up."""
    row = tx.first(select(pools).where(pools.c.project_id.is_(None)).order_by(pools.c.id).limit(1))
    return None if row is None else pool_of(row)


def get(tx: Read, pool: int) -> Pool:
    """The pool with that id. `NoSuchPool`."""
    row = tx.first(select(pools).where(pools.c.id == pool))
    if row is None:
        raise NoSuchPool(pool=pool)
    return pool_of(row)


def find_by_name(tx: Read, caller: Caller, name: str) -> Pool:
    """The pool of that name, if the caller may use it. `NoSuchPool`."""
    found: tuple[int, Pool] | None = NAMED.first(tx, name)
    if found is None or found[0] not in _audiences(caller):
        raise NoSuchPool(name=name)
    return found[1]


def find_any(tx: Read, caller: Caller, name: str) -> Pool:
    """The same; an administrator finds every project's. `NoSuchPool`."""
    if not caller.is_admin:
        return find_by_name(tx, caller, name)
    found: tuple[int, Pool] | None = NAMED.first(tx, name)
    if found is None:
        raise NoSuchPool(name=name)
    return found[1]


def last_named(tx: Read, caller: Caller, name: str) -> Pool:
    """The pool of that name; where there is none any more, the last of the caller's project. `NoSuchPool`."""
    try:
        return find_any(tx, caller, name)
    except NoSuchPool:
        gone = (pools.c.project_id == caller.project, pools.c.name == name)
        row = tx.first(select(pools).where(*gone).order_by(pools.c.id.desc()).limit(1))
        if row is None:
            raise
        return pool_of(row)


def newest_of(tx: Read, project: int) -> Sequence[int]:
    """The ids of the project's newest pools, those that were deleted too."""
    wanted = select(pools.c.id).where(pools.c.project_id == project).order_by(pools.c.id.desc())
    return [id for (id,) in tx.all(wanted.limit(NEWEST))]


def in_workspaces(tx: Read, workspaces: Collection[int]) -> Sequence[int]:
    """The ids of the pools in these workspaces, none of which is a default one."""
    if not workspaces:
        return ()
    there = select(pools.c.id).where(pools.c.workspace.in_(sorted(workspaces)), ELSEWHERE)
    return [id for (id,) in tx.all(there)]


def visible(tx: Read, caller: Caller) -> Sequence[Pool]:
    """The pools that the caller may use, oldest first."""
    mine = pools.c.audience.in_(_audiences(caller))
    return [pool_of(row) for row in tx.all(select(pools).where(mine).order_by(pools.c.id))]


def list_pools(tx: Read, caller: Caller, asked: Query, *, selector: Sequence[Requirement] = ()) -> Listed[Pool]:
    """The pools that the caller may use and that satisfy the selector, as asked, with how many follow the page.

    Raises `Invalid` for a senseless selector, and what `query.page` raises.
    """
    asked = _mine(caller, asked)
    scope = labels.selecting(pools.c.id, selector)
    found = query.page(tx, POOLS, asked, scope=scope)
    left = query.remaining(tx, POOLS, asked, found=found, scope=scope)
    return Listed(rows=tuple(map(pool_of, found.rows)), total=found.total, next=found.next, remaining=left)


def count(tx: Read, caller: Caller, asked: Query) -> int:
    """How many of the pools that the caller may use satisfy the query's conditions. Raises what `query.page` raises."""
    return query.count(tx, POOLS, _mine(caller, asked))


def offered(tx: Read, caller: Caller) -> Sequence[tuple[Pool, Flavor]]:
    """Every flavor of every pool that the caller may use, oldest pool first, with its pool."""
    return [(pool, flavor) for pool in visible(tx, caller) for flavor in flavors_of(tx, pool.id)]


def flavors_of(tx: Read, pool: int) -> Sequence[Flavor]:
    """The flavors of a pool, in the order of their kinds' names."""
    return [flavor_from(row) for row in tx.all(FLAVORS, {"pool": pool})]


def flavor_of(tx: Read, pool: int, kind: str) -> Flavor | None:
    """The pool's flavor of that kind, if it has one."""
    row = tx.first(select(flavors).where(flavors.c.pool_id == pool, flavors.c.kind == kind))
    return None if row is None else flavor_from(row)


def set_flavor(
    tx: Write, pool: int, *, kind: str, model: str, device_memory: int, millicores: int, memory: int, declared: bool
) -> None:
    """Say what one unit of `kind` gives in a pool; changes nothing for notebooks that have theirs already."""
    values = {
        "model": model,
        "device_memory": device_memory,
        "millicores": millicores,
        "memory": memory,
        "declared": declared,
    }
    if tx.run(update(flavors).where(flavors.c.pool_id == pool, flavors.c.kind == kind).values(**values)):
        return
    short = int(tx.value(select(func.coalesce(func.max(flavors.c.short), 0)))) + 1
    tx.run(insert(flavors).values(id=tx.ids.next(), pool_id=pool, short=short, kind=kind, **values))


def _mine(caller: Caller, asked: Query) -> Query:
    """The same query of the pools that the caller may use."""
    mine = Condition(field="audience", op=Op.IN, value=_audiences(caller))
    return structs.replace(asked, where=(mine, *asked.where))


def _audiences(caller: Caller) -> tuple[int, ...]:
    """Whose pools the caller may use."""
    return EVERYBODY, caller.project


def _columns(details: PoolDetails) -> dict[str, str]:
    if len(details.description) > LONGEST_DESCRIPTION or "\0" in details.description:
        message = f"a description has at most {LONGEST_DESCRIPTION} characters"
        raise Invalid("description", message)
    if not details.scope:
        raise Invalid("scope", "a pool is used for something")
    return {
        "description": details.description,
        "description_folded": fold(details.description),
        "labels": labels.checked(details.labels),
        "annotations": labels.checked_document(details.annotations, "annotations"),
        "scope": msgspec.json.encode(sorted(set(details.scope))).decode(),
    }


def _with_audience(row: Row[Any]) -> tuple[int, Pool]:
    return row.audience, pool_of(row)


NAMED: Final = Prepared(
    select(pools).where(pools.c.name == bindparam("name", type_=text()), THERE), "name", of=_with_audience
)
"""The pool of a name, and who has it in lists."""
